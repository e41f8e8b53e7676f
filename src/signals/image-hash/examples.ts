// Pictures that show what the detector of known pictures says, harmless ones first; they are its contract tests.
import type { SignalExample } from '../signal.ts'

const title = 'Leather handbag, brown'

export const examples: readonly SignalExample[] = [
  { name: 'no picture', listing: { title }, expect: { state: 'abstained' } },
  { name: 'a picture that no bank knows', listing: { title }, pictures: [[]], expect: { state: 'abstained' } },
  {
    name: 'a known counterfeit’s picture that somebody allowed',
    listing: { title },
    pictures: [
      [
        { kind: 'counterfeit', distance: 2 },
        { kind: 'allowed', distance: 20 },
      ],
    ],
    expect: { state: 'abstained' },
  },
  {
    name: 'a logo',
    listing: { title },
    pictures: [[{ kind: 'logo', distance: 8 }]],
    expect: { state: 'scored', max: 0.1, reasons: [] },
  },
  {
    name: 'the brand’s own photo shown by a stranger',
    listing: { title },
    pictures: [[{ kind: 'genuine', distance: 4 }]],
    expect: { state: 'scored', min: 0.2, max: 0.3, reasons: ['picture-of-the-brand'] },
  },
  {
    name: 'a counterfeit’s picture among others, re-encoded',
    listing: { title },
    pictures: [[], [{ kind: 'counterfeit', distance: 4 }]],
    expect: { state: 'scored', min: 0.9, reasons: ['picture-seen-before'] },
  },
  {
    name: 'a counterfeit’s picture, changed as far as a bank reaches as a rule',
    listing: { title },
    pictures: [[{ kind: 'counterfeit', distance: 31 }]],
    expect: { state: 'scored', min: 0.65, max: 0.75, reasons: ['picture-seen-before'] },
  },
  {
    name: 'an allowed picture does not speak for the next one',
    listing: { title },
    pictures: [[{ kind: 'allowed', distance: 0 }], [{ kind: 'counterfeit', distance: 0 }]],
    expect: { state: 'scored', min: 0.95, reasons: ['picture-seen-before'] },
  },
  {
    name: 'a host that does not answer',
    listing: { title },
    pictures: [[], 'timed-out'],
    expect: { state: 'failed' },
  },
  {
    name: 'evidence is evidence although another picture is gone',
    listing: { title },
    pictures: ['gone', [{ kind: 'counterfeit', distance: 10 }]],
    expect: {
      state: 'scored',
      min: 0.85,
      reasons: ['picture-seen-before', 'picture-not-found'],
      incomplete: true,
    },
  },
  {
    name: 'a logo in front of a picture that does not come',
    listing: { title },
    pictures: [[{ kind: 'logo', distance: 0 }], 'timed-out'],
    expect: { state: 'scored', max: 0.1, reasons: ['picture-did-not-come'], incomplete: true },
  },
  {
    name: 'a picture that we had no time for: the seller is not sent to look for a fault',
    listing: { title },
    pictures: [[{ kind: 'logo', distance: 0 }], 'busy'],
    expect: { state: 'scored', max: 0.1, reasons: ['picture-not-looked-at-yet'], incomplete: true },
  },
  {
    name: 'a picture that is too large: saved anew as it is, it would be so again',
    listing: { title },
    pictures: [[{ kind: 'logo', distance: 0 }], 'too-many-pixels'],
    expect: { state: 'scored', max: 0.1, reasons: ['picture-too-large'], incomplete: true },
  },
]
