import type { Draws } from './draws.ts';

/** One API call of the generated world. */
export interface ApiCall {
  readonly service: string;
  readonly name: string;
  readonly readOnly: boolean;
  readonly error: string;
  /** requestParameters, responseElements and additionalEventData, with a comma behind each. */
  bodies(random: Draws, account: string, region: string, denied: boolean): string;
  /** The `resources` element with a comma behind it, or nothing. It names what `bodies` drew last. */
  resources(random: Draws): string;
}

export const regions = [
  'us-east-1',
  'us-east-1',
  'us-east-1',
  'us-west-2',
  'us-west-2',
  'eu-central-1',
  'eu-west-1',
  'ap-southeast-2',
];

export const agents: readonly string[] = Array.from({ length: 48 }, (_, index) => {
  const kinds = [
    `aws-cli/2.${15 + (index % 9)}.${index % 17} md/awscrt#0.21.${index % 7} ua/2.0 os/linux#6.1.${90 + index}-amzn2023.x86_64 md/arch#x86_64 lang/python#3.11.8 md/pyimpl#CPython cfg/retry-mode#standard md/prompt#off md/command#ec2.describe-instances`,
    `Boto3/1.34.${index} md/Botocore#1.34.${index} ua/2.0 os/linux#5.10.${index}-amzn2.x86_64 md/arch#x86_64 lang/python#3.11.6 md/pyimpl#CPython exec-env/AWS_Lambda_python3.11 cfg/retry-mode#legacy Botocore/1.34.${index}`,
    `APN/1.0 HashiCorp/1.0 Terraform/1.${index % 9}.2 (+https://www.terraform.io) terraform-provider-aws/5.${index} (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.24.${index % 5} os/linux lang/go#1.21.5 md/GOOS#linux md/GOARCH#amd64`,
    `aws-sdk-java/2.21.${index} Linux/5.10.201-191.748.amzn2.x86_64 OpenJDK_64-Bit_Server_VM/17.0.9+8-LTS Java/17.0.9 vendor/Amazon.com_Inc. io/sync http/Apache cfg/retry-mode/standard`,
  ];
  return kinds[index % kinds.length] as string;
});

/** Service, resource nouns, resource type, parameter that names the resource, prefix of its ids. */
const services = [
  [
    'ec2',
    [
      'Instances',
      'Volumes',
      'Snapshots',
      'SecurityGroups',
      'Subnets',
      'NetworkInterfaces',
      'Images',
      'Addresses',
      'RouteTables',
      'KeyPairs',
    ],
    'AWS::EC2::Instance',
    'instanceId',
    'instance/i-0',
  ],
  [
    's3',
    ['BucketAcl', 'BucketPolicy', 'BucketLocation', 'BucketEncryption', 'BucketVersioning', 'BucketTagging'],
    'AWS::S3::Bucket',
    'bucketName',
    'bucket-',
  ],
  [
    'iam',
    ['User', 'Role', 'Policy', 'Group', 'AccessKey', 'InstanceProfile', 'LoginProfile'],
    'AWS::IAM::Role',
    'roleName',
    'role/app-',
  ],
  ['sts', ['SessionToken', 'CallerIdentity', 'FederationToken'], 'AWS::IAM::Role', 'roleArn', 'role/app-'],
  ['kms', ['Key', 'DataKey', 'Alias', 'Grant', 'KeyPolicy'], 'AWS::KMS::Key', 'keyId', 'key/'],
  [
    'lambda',
    ['Function20150331v2', 'FunctionConfiguration20150331v2', 'EventSourceMapping', 'LayerVersion', 'Alias'],
    'AWS::Lambda::Function',
    'functionName',
    'function:fn-',
  ],
  [
    'dynamodb',
    ['Table', 'Item', 'Backup', 'TimeToLive', 'Stream'],
    'AWS::DynamoDB::Table',
    'tableName',
    'table/t-',
  ],
  [
    'rds',
    ['DBInstance', 'DBCluster', 'DBSnapshot', 'DBSubnetGroup', 'OptionGroup'],
    'AWS::RDS::DBInstance',
    'dBInstanceIdentifier',
    'db:db-',
  ],
  [
    'logs',
    ['LogGroup', 'LogStream', 'MetricFilter', 'SubscriptionFilter', 'RetentionPolicy'],
    'AWS::Logs::LogGroup',
    'logGroupName',
    'log-group:/app/',
  ],
  [
    'monitoring',
    ['MetricAlarm', 'Dashboard', 'MetricData', 'Alarms'],
    'AWS::CloudWatch::Alarm',
    'alarmName',
    'alarm:a-',
  ],
  [
    'secretsmanager',
    ['SecretValue', 'Secret', 'ResourcePolicy'],
    'AWS::SecretsManager::Secret',
    'secretId',
    'secret:s-',
  ],
  [
    'ssm',
    ['Parameter', 'Document', 'Command', 'Inventory', 'InstanceInformation'],
    'AWS::SSM::Document',
    'documentName',
    'document/d-',
  ],
  ['sqs', ['Queue', 'QueueAttributes', 'QueueUrl'], 'AWS::SQS::Queue', 'queueUrl', 'q-'],
  ['sns', ['Topic', 'Subscription', 'TopicAttributes'], 'AWS::SNS::Topic', 'topicArn', 't-'],
  ['ecs', ['Service', 'TaskDefinition', 'Cluster', 'Tasks'], 'AWS::ECS::Service', 'service', 'service/s-'],
  ['eks', ['Cluster', 'Nodegroup', 'Addon'], 'AWS::EKS::Cluster', 'name', 'cluster/c-'],
  [
    'ecr',
    ['Repository', 'Image', 'AuthorizationToken'],
    'AWS::ECR::Repository',
    'repositoryName',
    'repository/r-',
  ],
  [
    'elasticloadbalancing',
    ['LoadBalancer', 'TargetGroup', 'Listener', 'TargetHealth'],
    'AWS::ElasticLoadBalancingV2::LoadBalancer',
    'loadBalancerArn',
    'loadbalancer/app/l-',
  ],
  [
    'autoscaling',
    ['AutoScalingGroup', 'LaunchConfiguration', 'ScalingPolicy'],
    'AWS::AutoScaling::AutoScalingGroup',
    'autoScalingGroupName',
    'autoScalingGroup:g-',
  ],
  [
    'cloudformation',
    ['Stack', 'StackEvents', 'ChangeSet', 'StackResources'],
    'AWS::CloudFormation::Stack',
    'stackName',
    'stack/k-',
  ],
  ['cloudtrail', ['Trail', 'EventSelectors', 'TrailStatus'], 'AWS::CloudTrail::Trail', 'name', 'trail/t-'],
  [
    'config',
    ['ConfigRule', 'ConfigurationRecorder', 'Compliance'],
    'AWS::Config::ConfigRule',
    'configRuleName',
    'config-rule/r-',
  ],
  [
    'route53',
    ['HostedZone', 'ResourceRecordSets'],
    'AWS::Route53::HostedZone',
    'hostedZoneId',
    'hostedzone/Z',
  ],
  [
    'elasticache',
    ['CacheCluster', 'ReplicationGroup'],
    'AWS::ElastiCache::CacheCluster',
    'cacheClusterId',
    'cluster:c-',
  ],
] as const;

const verbs = [
  ['Describe', true],
  ['Get', true],
  ['List', true],
  ['Create', false],
  ['Update', false],
  ['Delete', false],
] as const;

const namesResources: ReadonlySet<string> = new Set([
  's3',
  'sts',
  'kms',
  'dynamodb',
  'secretsmanager',
  'sqs',
]);

function callOf(
  [service, , type, parameter, prefix]: (typeof services)[number],
  noun: string,
  [verb, readOnly]: (typeof verbs)[number],
): ApiCall {
  let arn = '';
  let account = '';
  return {
    service,
    name: verb + noun,
    readOnly,
    error: service === 'ec2' ? 'Client.UnauthorizedOperation' : 'AccessDenied',
    bodies(random, accountId, region, denied) {
      // A third of the calls touch one of a few hundred busy resources, the others one of very many.
      const id =
        random.unit() < 0.35 ? `${(random.zipf(400) + 0x1000_0000).toString(16)}aa4f9c3d` : random.hex(16);
      account = accountId;
      arn = `arn:aws:${service}:${region}:${accountId}:${prefix}${id}`;
      const named = parameter.endsWith('Arn') ? arn : `${prefix.slice(prefix.lastIndexOf('/') + 1)}${id}`;
      const request = readOnly
        ? `"requestParameters":{"${parameter}":"${named}","maxResults":${100 * (1 + random.below(10))},"filterSet":{"items":[{"name":"vpc-id","valueSet":{"items":[{"value":"vpc-0a1b2c3d4e5f6${100 + random.below(40)}"}]}}]},"includeShared":false},`
        : `"requestParameters":{"${parameter}":"${named}","clientToken":"${random.uuid()}","description":"Managed by the deployment pipeline of ${verb}${noun}","tagSpecificationSet":{"items":[{"resourceType":"${noun}","tags":[{"key":"Owner","value":"team-${random.below(60)}"},{"key":"Stage","value":"${random.pick(['prod', 'test', 'dev'])}"}]}]},"dryRun":false},`;
      if (readOnly || denied) return `${request}"responseElements":null,`;
      return `${request}"responseElements":{"requestId":"${random.uuid()}","${noun.toLowerCase()}":{"arn":"${arn}","state":{"code":${random.below(5) * 16},"name":"pending"},"ownerId":"${accountId}","placement":{"availabilityZone":"${region}${random.pick(['a', 'b', 'c'])}","tenancy":"default"},"networkInterfaceSet":{"items":[{"privateIpAddress":"10.${random.below(16)}.${random.below(256)}.${random.below(256)}","status":"in-use","sourceDestCheck":true}]}},"_return":true},`;
    },
    // As in real trails, few services name their resources beside the parameters.
    resources: () =>
      arn === '' || !namesResources.has(service)
        ? ''
        : `"resources":[{"accountId":"${account}","type":"${type}","ARN":"${arn}"}],`,
  };
}

/** About 600 calls. */
export const apiCalls: readonly ApiCall[] = services.flatMap((service) =>
  service[1].flatMap((noun) => verbs.map((verb) => callOf(service, noun, verb))),
);
