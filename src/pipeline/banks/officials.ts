// Which genuine and allowed banks the pictures of a case are like: asked before a verdict may put them into a bank of fakes.
import { inSteps, inTurns } from '../../imaging/in-turns.ts'
import type { BankIndex } from '../../signals/image-hash/ports.ts'
import type { CaseHashes, LikeOfficial, LookForOfficials } from '../verdicts/ports.ts'
import { HASH } from './entry-hashes.ts'

/** Asks the banks in memory, exactly and in turns: each picture takes up to some milliseconds where there are millions. */
export function createLookForOfficials(banks: () => BankIndex): LookForOfficials {
  return async (pictures) => {
    const index = banks()
    // Before the first is asked: what changes meanwhile may or may not be seen, and is compared once more by the store.
    const { change } = index
    const near: LikeOfficial[] = []
    const compare = ({ sha256, frame = 0, hash, variants }: CaseHashes) => {
      // Something else can be compared with nothing.
      const forms = (variants.length === 0 ? [hash] : variants).filter((one) => HASH.test(one))
      const hashes = forms.map((one) => Buffer.from(one, 'hex'))
      for (const { bankId, kind, source } of index.match({ sha256, variants: hashes, blank: false }))
        if (kind === 'genuine' || kind === 'allowed')
          near.push({ sha256, frame, bankId, alone: source.by !== undefined })
    }
    await inTurns(inSteps(pictures, compare, 1))
    return { change, looked: pictures.map(({ sha256, frame = 0 }) => ({ sha256, frame })), near }
  }
}
