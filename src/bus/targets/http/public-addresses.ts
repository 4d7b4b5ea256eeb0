import { BlockList, isIP } from 'node:net';

/** Addresses of the internet of IPv4 that are not one host's for all: IANA's special-purpose registry, and multicast. */
const specialIPv4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
];

/** Of the one block of IPv6 that is handed out to hosts (2000::/3), what is special, or leads to addresses of IPv4. */
const specialIPv6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

function listOf(blocks: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const block of blocks) {
    const [address = '', prefix] = block.split('/');
    list.addSubnet(address, Number(prefix), family);
  }
  return list;
}

const special = { 4: listOf(specialIPv4, 'ipv4'), 6: listOf(specialIPv6, 'ipv6') };
const handedOut = listOf(['2000::/3'], 'ipv6');

/**
 * Whether an address is one of the public internet: none of this machine, its network, its cloud's metadata service, nor one
 * that holds such an address in another form.
 */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !special[4].check(address, 'ipv4');
    case 6:
      // An address with a zone is of one link.
      return !address.includes('%') && handedOut.check(address, 'ipv6') && !special[6].check(address, 'ipv6');
    default:
      return false;
  }
}
