// Phase 5 of a batch on its way into the line: all of it at once, or from when it goes ahead in groups as listings are done.
import type { TriedRecord } from '../settle.ts'
import type { Part } from './line.ts'

export interface Keeping {
  put(record: number, tried: TriedRecord): void
  /** What has no pictures to keep goes on at once, and a picture that must be got again holds up its own group only. */
  goAhead(): void
  /** Resolves when nothing is kept any more; `all`: with what is still here. */
  done(all: boolean): Promise<void>
}

/** Listings that are done about the same time are looked up in one query. */
const GATHER_MS = 20

/** `keep` gives back the records, in their order, with what was kept; `behind` are those behind one of their listing; where it rejects, `fail` is told. */
export function createKeeping(
  part: Pick<Part, 'put' | 'behindTheirOwn'>,
  keep: (records: readonly TriedRecord[], behind: ReadonlySet<TriedRecord>) => Promise<readonly TriedRecord[]>,
  fail: (error: unknown) => void,
): Keeping {
  let here: { readonly record: number; readonly tried: TriedRecord }[] = []
  const groups: Promise<void>[] = []
  let ahead = false
  let gathering: NodeJS.Timeout | undefined

  function go(): void {
    clearTimeout(gathering)
    gathering = undefined
    if (here.length === 0) return
    const group = here
    here = []
    const behind = part.behindTheirOwn(group.map(({ record }) => record))
    const isBehind = group.filter(({ record }) => behind.has(record)).map(({ tried }) => tried)
    const kept = keep(
      group.map(({ tried }) => tried),
      new Set(isBehind),
    ).then((records) => {
      for (const [i, { record, tried }] of group.entries()) part.put(record, records[i] ?? tried)
    })
    groups.push(kept.catch(fail))
  }

  return {
    put(record, tried) {
      if (!ahead || hasPictures(tried)) here.push({ record, tried })
      else part.put(record, tried)
      if (ahead && here.length > 0) gathering ??= setTimeout(go, GATHER_MS)
    },
    goAhead() {
      if (ahead) return
      ahead = true
      const plain = here.filter(({ tried }) => !hasPictures(tried))
      here = here.filter(({ tried }) => hasPictures(tried))
      for (const { record, tried } of plain) part.put(record, tried)
      go()
    },
    async done(all) {
      clearTimeout(gathering)
      if (all) go()
      await Promise.all(groups)
    },
  }
}

const hasPictures = ({ tried }: TriedRecord): boolean =>
  tried.kind === 'ok' &&
  tried.value.kind === 'listing' &&
  tried.value.assessment.pictures.some((picture) => picture.state === 'seen')
