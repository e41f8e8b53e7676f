// One request per URL at once: whoever asks for the same meanwhile waits for the same answer.
import { createStop, type Stop } from './outcome.ts'

export interface Shared<T> {
  /**
   * The answer, or undefined when `caller` was ended before it came. The work is ended when the last caller has left.
   * @param begin is told to end by the Stop that it gets, and must then settle.
   */
  ask(key: string, caller: Stop, begin: (stop: Stop) => Promise<T>): Promise<T | undefined>
  readonly size: number
}

export function createShared<T>(): Shared<T> {
  const works = new Map<string, { readonly stop: Stop; readonly answer: Promise<T>; callers: number }>()

  return {
    get size() {
      return works.size
    },
    async ask(key, caller, begin) {
      let work = works.get(key)
      if (work === undefined) {
        const stop = createStop()
        const begun = { stop, answer: begin(stop), callers: 0 }
        const over = () => {
          if (works.get(key) === begun) works.delete(key)
        }
        begun.answer.then(over, over)
        works.set(key, begun)
        work = begun
      }
      const joined = work
      joined.callers += 1
      let leave: () => void = () => undefined
      const left = new Promise<undefined>((resolve) => {
        leave = () => resolve(undefined)
        caller.signal.addEventListener('abort', leave, { once: true })
        if (caller.signal.aborted) leave()
      })
      try {
        return await Promise.race([joined.answer, left])
      } finally {
        caller.signal.removeEventListener('abort', leave)
        joined.callers -= 1
        if (joined.callers === 0 && caller.why !== undefined) {
          // Who asks from now on begins anew: this one will have no answer.
          if (works.get(key) === joined) works.delete(key)
          joined.stop.end(caller.why)
        }
      }
    },
  }
}
