import type {
  GetEventSelectorsRequest,
  GetEventSelectorsResponse,
  PutEventSelectorsRequest,
  PutEventSelectorsResponse,
} from '@aws-sdk/client-cloudtrail';
import { readOwnTrail, readTrail } from '../find-trail.ts';
import { checkAdvancedSelectors } from '../selectors/check-advanced.ts';
import { checkBasicSelectors, invalidSelectors } from '../selectors/check-basic.ts';
import { defaultSelectors } from '../selectors/compile-basic.ts';
import { trailKey, type TrailDocument } from '../trail-documents.ts';
import type { TrailOperation } from '../trail-operation.ts';
import { onTrail } from './trail-need.ts';

type Selectors = Pick<TrailDocument, 'eventSelectors' | 'advancedEventSelectors'>;

function checkSelectors({ EventSelectors, AdvancedEventSelectors }: PutEventSelectorsRequest): Selectors {
  if (EventSelectors && AdvancedEventSelectors) {
    throw invalidSelectors('EventSelectors and AdvancedEventSelectors cannot be used together.');
  }
  if (AdvancedEventSelectors) {
    checkAdvancedSelectors(AdvancedEventSelectors, 'trail');
    return { advancedEventSelectors: AdvancedEventSelectors };
  }
  if (EventSelectors) return { eventSelectors: checkBasicSelectors(EventSelectors) };
  throw invalidSelectors('Either EventSelectors or AdvancedEventSelectors must be given.');
}

function selectorsShown(trail: TrailDocument): GetEventSelectorsResponse {
  const { arn, advancedEventSelectors, eventSelectors = defaultSelectors } = trail;
  return advancedEventSelectors
    ? { TrailARN: arn, AdvancedEventSelectors: [...advancedEventSelectors] }
    : { TrailARN: arn, EventSelectors: [...eventSelectors] };
}

export const PutEventSelectors: TrailOperation<PutEventSelectorsRequest, PutEventSelectorsResponse> = {
  access: 'write',
  needs: (input, call) => [onTrail('PutEventSelectors', input.TrailName, call)],
  async handle(input, call, change) {
    const old = await readOwnTrail(change, input.TrailName, call);
    // Selectors of one kind take the place of those of the other.
    const { eventSelectors: _basic, advancedEventSelectors: _advanced, ...rest } = old;
    const trail: TrailDocument = { ...rest, ...checkSelectors(input) };
    change.put(trailKey(trail.accountId, trail.homeRegion, trail.name), trail);
    return selectorsShown(trail);
  },
};

export const GetEventSelectors: TrailOperation<GetEventSelectorsRequest, GetEventSelectorsResponse> = {
  access: 'read',
  needs: (input, call) => [onTrail('GetEventSelectors', input.TrailName, call)],
  handle: async (input, call, change) => selectorsShown(await readTrail(change, input.TrailName, call)),
};
