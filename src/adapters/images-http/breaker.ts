// Which origins (scheme, host and port) are taken for dead: they cost nobody time until something of them has answered again.
export interface Breaker {
  /** Seconds that the host is left alone for; undefined when it may be asked. */
  resting(host: string): number | undefined
  /** Before a request. Waits while it is being found out whether the host lives; undefined when it may not be sent now. */
  begin(host: string, until: AbortSignal): Promise<Trial | undefined>
  /** Hosts of which anything is remembered. */
  readonly size: number
}

/** Exactly one of `heard`, `silent` and `unknown` must be called in the end. */
export interface Trial {
  /** The host answered, with whatever: an error page is not a dead host, and costs no time. */
  heard(): void
  /** It has said nothing for a good part of the time. */
  slow(): void
  /** It said nothing until the time was up, or for a good part of it. */
  silent(): void
  /** Ended before anything could be known. */
  unknown(): void
}

/** What a question of our own found out; `unknown`: neither an answer nor silence, such as a refusal. */
export type Word = 'heard' | 'silent' | 'unknown'

export interface BreakerOptions {
  /** Milliseconds that only rise. */
  readonly now: () => number
  readonly onDead: (host: string) => void
  /** Asks the host for what is no seller's path; takes part of a request's time, and never rejects. */
  readonly question: (host: string) => Promise<Word>
}

/** In a row, nothing heard between: one lost connection says nothing. */
const FAILURES = 3
const FIRST_REST_MS = 15_000
/** A host that comes back is found within this. */
const LONGEST_REST_MS = 300_000
/** Strangers can name as many hosts as they like; of these the latest are remembered. */
const HOSTS = 10_000

interface State {
  failures: number
  /** Requests under way that are slow. */
  readonly slow: Set<Trial>
  /** The last question of this row was not answered. */
  unanswered: boolean
  restMs: number
  restsUntil: number
  /** While it is being found out; resolved as soon as that is known. */
  question: PromiseWithResolvers<void> | undefined
}

/**
 * Sellers choose the paths: some that are silent, in whatever number, say nothing of a host that has the pictures of others too.
 * So a host is dead when requests in a row are silent and so is what no seller chose, which is asked while they still wait:
 * a dead host is known as soon as the first of them have used up their time. After its rest one request goes and the question
 * beside it: the answer to either is enough, because a host may be silent to us at its root and have pictures.
 */
export function createBreaker({ now, onDead, question }: BreakerOptions): Breaker {
  const hosts = new Map<string, State>()
  const isDead = (state: State): boolean => state.restMs > 0
  /** Those that are slow when the question was not answered either have waited as long as those that ended. */
  const isSuspect = (state: State): boolean => state.failures + state.slow.size >= FAILURES
  const restLeft = (state: State | undefined): number =>
    state !== undefined && isDead(state) ? state.restsUntil - now() : 0

  function stateOf(host: string): State {
    const known = hosts.get(host)
    if (known !== undefined) return known
    const state: State = {
      failures: 0,
      slow: new Set(),
      unanswered: false,
      restMs: 0,
      restsUntil: 0,
      question: undefined,
    }
    hosts.set(host, state)
    const [oldest] = hosts.keys()
    if (hosts.size > HOSTS && oldest !== undefined) hosts.delete(oldest)
    return state
  }

  function rest(host: string, state: State): void {
    if (!isDead(state)) onDead(host)
    state.restMs = Math.min(LONGEST_REST_MS, isDead(state) ? state.restMs * 2 : FIRST_REST_MS)
    state.restsUntil = now() + state.restMs
    state.slow.clear()
    hosts.delete(host)
    hosts.set(host, state)
  }

  function alive(host: string): void {
    const state = hosts.get(host)
    hosts.delete(host)
    state?.question?.resolve()
  }

  /** `words`: all that is waited for; one that is heard is enough. */
  async function findOut(host: string, state: State, words: readonly Promise<Word>[]): Promise<void> {
    const known = (state.question = Promise.withResolvers<void>())
    const heard = words.map(async (word) => {
      if ((await word) === 'heard' && hosts.get(host) === state) alive(host)
      return await word
    })
    const all = await Promise.all(heard)
    state.question = undefined
    // Otherwise something was heard: it is a new row.
    if (hosts.get(host) === state) {
      const wasDead = isDead(state)
      state.unanswered = true
      // A probe that was refused leaves the next one its chance.
      if (wasDead ? all.includes('silent') : isSuspect(state)) rest(host, state)
    }
    known.resolve()
  }

  function ask(host: string, state: State): void {
    if (state.question === undefined && !state.unanswered) void findOut(host, state, [question(host)])
  }

  /** The first request after a rest: the others wait for what it and the question find out. */
  function probe(host: string, state: State): Trial {
    const ended = Promise.withResolvers<Word>()
    void findOut(host, state, [ended.promise, question(host)])
    return {
      heard: () => ended.resolve('heard'),
      slow: () => undefined,
      silent: () => ended.resolve('silent'),
      unknown: () => ended.resolve('unknown'),
    }
  }

  function tried(host: string): Trial {
    const leave = (trial: Trial): State | undefined => {
      const state = hosts.get(host)
      state?.slow.delete(trial)
      return state
    }
    const forget = (state: State | undefined) => {
      if (state?.failures === 0 && state.slow.size === 0 && state.question === undefined) hosts.delete(host)
    }
    const trial: Trial = {
      heard: () => alive(host),
      slow() {
        const state = stateOf(host)
        if (isDead(state)) return
        state.slow.add(trial)
        if (isSuspect(state)) ask(host, state)
      },
      silent() {
        leave(trial)
        const state = stateOf(host)
        // Those that were under way when it was found dead tell nothing new.
        if (isDead(state)) return
        state.failures += 1
        if (state.failures < FAILURES) return
        if (state.unanswered) rest(host, state)
        else ask(host, state)
      },
      unknown: () => forget(leave(trial)),
    }
    return trial
  }

  return {
    get size() {
      return hosts.size
    },
    resting(host) {
      const left = restLeft(hosts.get(host))
      return left > 0 ? Math.max(1, Math.ceil(left / 1000)) : undefined
    },
    async begin(host, until) {
      for (;;) {
        const state = hosts.get(host)
        if (restLeft(state) > 0 || until.aborted) return undefined
        const inQuestion = state !== undefined && (isDead(state) || (isSuspect(state) && state.question !== undefined))
        if (!inQuestion) return tried(host)
        if (state.question === undefined) return probe(host, state)
        await orGiven(state.question.promise, until)
      }
    },
  }
}

/** Resolves with the promise or with the signal. */
async function orGiven(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  let leave: () => void = () => undefined
  const given = new Promise<void>((resolve) => {
    leave = resolve
    signal.addEventListener('abort', leave, { once: true })
  })
  try {
    await Promise.race([promise, given])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}
