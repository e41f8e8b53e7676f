// Who may ask which hosts now. Real: all of it; hosts and sizes are invented, and nothing takes time.
import { describe, expect, it } from 'vitest'
import { createAdmission, type Admission, type AdmissionOptions } from '../../../../src/pipeline/pictures/admission.ts'
import type { Going } from '../../../../src/pipeline/pictures/going.ts'

const MB = 1 << 20
const of = (more: Partial<AdmissionOptions> = {}): Admission =>
  createAdmission({ atOnce: 8, perHost: 4, bytes: 128 * MB, ...more })

/** Listings that ask, in their order; which of them went so far. */
function asking(admission: Admission) {
  const went: string[] = []
  /** Pictures that have a place with their host. */
  const asked: string[] = []
  const goings = new Map<string, Going>()
  const never = new AbortController().signal
  const askOf = async (seller: string, name: string, hosts: readonly string[], until = never) => {
    void admission.begin(hosts, seller, until).then((going) => {
      went.push(going === undefined ? `${name} left` : going === 'rests' ? `${name} rests` : name)
      if (going === undefined || going === 'rests') return
      goings.set(name, going)
      for (const [i, host] of hosts.entries())
        void going.place(host, never).then((has) => has && asked.push(`${name} ${host} ${i}`))
    })
    await settled()
  }
  return {
    went,
    asked,
    askOf,
    /** Each of a seller of its own. */
    ask: (name: string, ...hosts: string[]) => askOf(name, name, hosts),
    async end(name: string, host: string, how: Parameters<Going['ended']>[1] = 'otherwise', bytes = 0) {
      goings.get(name)?.ended(host, how, bytes)
      await settled()
    },
  }
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const times = (count: number, what: (i: number) => Promise<void>) =>
  Array.from({ length: count }, (_, i) => i).reduce((before, i) => before.then(() => what(i)), Promise.resolve())

describe('asking hosts', () => {
  it('that are slow stands in nobody’s way, and what waits for them goes in the order of its coming', async () => {
    const { went, ask, end } = asking(of())
    await times(20, (i) => ask(`slow-${i}`, 'slow'))
    await ask('honest', 'shop')
    // The fourth place is for who brought something there.
    expect(went).toEqual(['slow-0', 'slow-1', 'slow-2', 'honest'])
    await end('slow-0', 'slow')
    expect(went.at(-1)).toBe('slow-3')
  })

  it('goes in turn over hosts, so that one with few waiting is not behind one with many', async () => {
    const { went, ask, end } = asking(of({ atOnce: 1 }))
    await ask('first', 'x')
    await times(5, (i) => ask(`many-${i}`, 'many'))
    await ask('few', 'few')
    await end('first', 'x')
    await end('many-0', 'many')
    expect(went).toEqual(['first', 'many-0', 'few'])
  })

  it('goes in turn over sites, whose owner may make up hosts below them without end, and leaves room beside each', async () => {
    const { went, ask } = asking(of({ atOnce: 16, perHost: 4 }))
    const below = (i: number) => Array.from({ length: 10 }, (_, j) => `h${i}-${j}.evil.example:8080`)
    await times(5, (i) => ask(`evil-${i}`, ...below(i)))
    await ask('honest', 'shop.example')
    expect(went).toEqual(['evil-0', 'honest'])
    // All places of strangers are taken by two that are behind the honest one then.
    const many = asking(of({ atOnce: 16, perHost: 4 }))
    await times(20, (i) => many.ask(`evil-${i}`, ...below(i).map((host) => host.replace('evil', `evil-${i % 2}`))))
    await many.ask('honest', 'shop.example')
    expect(many.went).toEqual(['evil-0', 'evil-1'])
    for (const host of below(0)) await many.end('evil-0', host.replace('evil', 'evil-0'), 'late')
    expect(many.went[2]).toBe('honest')
  })

  it('goes in turn over sellers too; of equals those with few hosts come first', async () => {
    const { went, ask, askOf, end } = asking(of({ atOnce: 1 }))
    await ask('first', 'x')
    await times(3, (i) => askOf('evil', `evil-${i}`, [`a${i}.example`, `b${i}.example`]))
    await ask('honest', 'shop.example')
    await ask('wide', 'c.example', 'd.example', 'e.example')
    await end('first', 'x')
    expect(went.at(-1)).toBe('honest')
    await end('honest', 'shop.example')
    expect(went.at(-1)).toBe('evil-0')
    for (const host of ['a0.example', 'b0.example']) await end('evil-0', host)
    // Its other listings name hosts that are new, but it had its turn.
    expect(went.at(-1)).toBe('wide')
  })

  it('is left by those whose time is over, with their place', async () => {
    const { went, ask, askOf, end } = asking(of({ atOnce: 1 }))
    const over = new AbortController()
    await ask('first', 'x')
    await askOf('s', 'late', ['shop'], over.signal)
    await ask('next', 'shop')
    over.abort()
    await settled()
    await end('first', 'x')
    expect(went).toEqual(['first', 'late left', 'next'])
    await askOf('s', 'never', ['shop'], AbortSignal.abort())
    expect(went.at(-1)).toBe('never left')
  })

  it('waits for all hosts of a listing, and holds none of them meanwhile', async () => {
    const { went, ask, end } = asking(of())
    await times(3, (i) => ask(`slow-${i}`, 'slow'))
    await times(8, (i) => ask(`both-${i}`, 'shop', 'slow'))
    await ask('honest', 'shop')
    expect(went.at(-1)).toBe('honest')
    await end('slow-0', 'slow', 'late')
    expect(went.at(-1)).toBe('both-0')
  })

  it('is left a quarter of everything to hosts that brought something, until they cost time themselves', async () => {
    const { went, ask, end } = asking(of())
    await ask('good', 'shop')
    await end('good', 'shop', 'brought', 1)
    await times(30, (i) => ask(`dead-${i}`, `dead-${i}`))
    expect(went.filter((name) => name.startsWith('dead'))).toHaveLength(6)
    await ask('honest', 'shop')
    await ask('honest again', 'shop')
    expect(went.slice(-2)).toEqual(['honest', 'honest again'])
    await end('honest', 'shop', 'late')
    await ask('late', 'shop')
    expect(went).not.toContain('late')
    // A stranger waits for strangers only.
    await end('dead-0', 'dead-0', 'late')
    expect(went).toHaveLength(1 + 6 + 2 + 1)
  })

  it('leaves them that quarter also where one listing of strangers took more than everything', async () => {
    const { went, ask, end } = asking(of())
    await ask('good', 'shop')
    await end('good', 'shop', 'brought', 1)
    await ask('huge', ...Array.from({ length: 100 }, (_, i) => `dead-${i}`))
    await times(3, (i) => ask(`honest-${i}`, 'shop'))
    expect(went).toEqual(['good', 'huge', 'honest-0', 'honest-1'])
  })

  it('by a listing with many pictures takes a few places, more as they come and there is room, and gives all of them back', async () => {
    const { went, asked, ask, end } = asking(of({ perHost: 8 }))
    const hosts = Array.from({ length: 20 }, () => 'shop')
    await ask('large', ...hosts)
    await ask('next', 'shop')
    expect(went).toEqual(['large', 'next'])
    const large = () => asked.filter((one) => one.startsWith('large')).length
    expect(large()).toBe(2)
    // One after the other where they do not come.
    await end('large', 'shop', 'otherwise')
    expect(large()).toBe(3)
    await end('large', 'shop', 'brought', 1)
    expect(large()).toBe(5)
    await times(18, () => end('large', 'shop', 'brought', 1))
    expect(large()).toBe(20)
    await times(10, (i) => ask(`later-${i}`, 'shop'))
    // Seven of eight are free again, and six of all are for those who brought nothing yet.
    expect(went).toHaveLength(2 + 5)
  })
})

describe('a host that many sellers have their pictures at', () => {
  const cdn = (now = () => 0) => asking(of({ atOnce: 256, perHost: 16, now }))

  it('has room for others beside silent paths of one seller, and none of its listings waits longer than those that began', async () => {
    const { went, askOf, ask, end } = cdn()
    await times(40, (i) => askOf('evil', `evil-${i}`, ['cdn']))
    expect(went).toHaveLength(8)
    await times(3, (i) => ask(`honest-${i}`, 'cdn'))
    expect(went.slice(8)).toEqual(['honest-0', 'honest-1', 'honest-2'])
    await times(3, (i) => end(`evil-${i}`, 'cdn', 'late'))
    expect(went.filter((name) => name.endsWith('rests'))).toHaveLength(40 - 8 - 2)
    await askOf('evil', 'again', ['cdn'])
    expect(went.at(-1)).toBe('again rests')
    await ask('another', 'cdn')
    expect(went.at(-1)).toBe('another')
  })

  it('has places that sellers without end do not get: who brought something goes at once, who did not goes in turn', async () => {
    const { went, askOf, ask, end } = cdn()
    await askOf('honest', 'first', ['cdn'])
    await end('first', 'cdn', 'brought', 1)
    await times(40, (i) => ask(`evil-${i}`, 'cdn'))
    expect(went).toHaveLength(1 + 12)
    await times(4, (i) => askOf('honest', `honest-${i}`, ['cdn']))
    expect(went.slice(13)).toEqual(['honest-0', 'honest-1', 'honest-2', 'honest-3'])
    await ask('new', 'cdn')
    await times(12, (i) => end(`evil-${i}`, 'cdn', 'late'))
    await times(12, (i) => end(`evil-${i + 12}`, 'cdn', 'late'))
    await times(12, (i) => end(`evil-${i + 24}`, 'cdn', 'late'))
    expect(went).toContain('new')
  })

  it('has half for those who let us wait before, whose listings are tried again and again', async () => {
    const { went, ask, askOf, end } = cdn()
    await times(12, (i) => askOf(`evil-${i}`, `evil-${i}`, ['cdn']))
    await times(12, (i) => end(`evil-${i}`, 'cdn', 'late'))
    await times(12, (i) => askOf(`evil-${i}`, `again-${i}`, ['cdn']))
    expect(went).toHaveLength(12 + 8)
    await times(4, (i) => ask(`new-${i}`, 'cdn'))
    expect(went.slice(20)).toEqual(['new-0', 'new-1', 'new-2', 'new-3'])
  })

  it('is asked again for a seller after a while, and believed when enough came; a good picture now and then is not enough', async () => {
    let time = 0
    const { went, askOf, end } = cdn(() => time)
    const picture = async (name: string, how: 'brought' | 'late') => {
      await askOf('s', name, ['cdn'])
      await end(name, 'cdn', how, 1)
    }
    for (const i of [1, 2, 3, 4, 5]) {
      await picture(`good-${i}`, 'brought')
      await picture(`bad-${i}`, 'late')
    }
    // 4 - 1 + 4 - 1 + 4 - 1 + 4: the fourth silence.
    expect(went.slice(7)).toEqual(['bad-4', 'good-5 rests', 'bad-5 rests'])
    time = 14_999
    await askOf('s', 'too early', ['cdn'])
    expect(went.at(-1)).toBe('too early rests')
    time = 15_000
    for (let i = 0; i < 16; i += 1) await picture(`mended-${i}`, 'brought')
    await times(16, (i) => askOf('s', `sound-${i}`, ['cdn']))
    expect(went.slice(-16)).toEqual(Array.from({ length: 16 }, (_, i) => `sound-${i}`))
  })

  it('of several hosts of a listing one may rest: it is said at once, also to those who wait', async () => {
    const { went, askOf, end } = cdn()
    await times(8, (i) => askOf('s', `bad-${i}`, ['cdn']))
    await times(4, (i) => askOf('s', `both-${i}`, ['cdn', 'other']))
    await askOf('s', 'one', ['other'])
    expect(went.slice(8)).toEqual(['one'])
    await times(3, (i) => end(`bad-${i}`, 'cdn', 'late'))
    expect(went.slice(9)).toEqual(['both-0', 'both-1', 'both-2 rests', 'both-3 rests'])
  })
})

describe('bytes that have come and are not read', () => {
  it('have a bound, of which tiny ones take their part as well', () => {
    const admission = of({ bytes: MB })
    const puts = Array.from({ length: 64 }, () => admission.hold(1))
    expect(puts.every((put) => put !== undefined)).toBe(true)
    expect(admission.hold(1)).toBeUndefined()
    puts[0]?.()
    expect(admission.hold(20_000)).toBeUndefined()
    expect(admission.hold(10_000)).toBeDefined()
  })

  it('let nobody begin beyond half of it, and wake who waited when they are put down', async () => {
    const admission = of({ bytes: 4 * MB })
    const { went, ask } = asking(admission)
    const put = admission.hold(3 * MB)
    await ask('waits', 'shop')
    expect(went).toEqual([])
    put?.()
    await settled()
    expect(went).toEqual(['waits'])
  })

  it('are foreseen: after large pictures fewer begin, after silent hosts as many as there are', async () => {
    const begun = async (how: 'brought' | 'late', bytes: number) => {
      const { went, ask, end } = asking(of({ atOnce: 1_000, perHost: 1_000 }))
      const taught = Array.from({ length: 700 }, () => 'shop')
      await ask('teaching', ...taught)
      for (const host of taught) await end('teaching', host, how, bytes)
      await times(500, (i) => ask(`next-${i}`, 'shop'))
      return went.length - 1
    }
    // 64 MB are to be expected at most.
    expect(await begun('brought', 512 << 10)).toBeLessThan(135)
    expect(await begun('late', 0)).toBe(500)
    // Whatever came before: the next sixty may always be asked for.
    expect(await begun('brought', 16 * MB)).toBeGreaterThanOrEqual(64)
  })
})
