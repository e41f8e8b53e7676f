// Which addresses a name has, asked of the name servers themselves.
import { Resolver } from 'node:dns/promises'

/** All addresses of a name; rejects with the resolver's code where there are none. */
export type Resolve = (host: string, until: AbortSignal) => Promise<readonly string[]>

// A name server that answers takes well under a second; one packet may get lost.
const TRY_MS = 1_500
const TRIES = 2
// Some name servers never answer for one of the two families: who has the other waits no longer than this.
const GRACE_MS = 300

/**
 * Not `dns.lookup`: its four threads are shared with every file and name of this process, so that some slow name servers of
 * strangers would stop all of it; and it believes `/etc/hosts` and search domains, where strangers' names have no business.
 */
export const resolveByDns: Resolve = (host, until) =>
  askBoth(new Resolver({ timeout: TRY_MS, tries: TRIES }), host, until)

/** Both families at once, of the servers that `resolver` has. */
export async function askBoth(resolver: Resolver, host: string, until: AbortSignal): Promise<readonly string[]> {
  const cancel = () => resolver.cancel()
  until.addEventListener('abort', cancel, { once: true })
  const found: string[] = []
  let failure: unknown
  let grace: NodeJS.Timeout | undefined
  await new Promise<void>((done) => {
    let open = 2
    const settled = () => {
      open -= 1
      if (open === 0) done()
      else if (found.length > 0) grace = setTimeout(done, GRACE_MS)
    }
    for (const query of [resolver.resolve4(host), resolver.resolve6(host)])
      query.then(
        (addresses) => {
          found.push(...addresses)
          settled()
        },
        (error: unknown) => {
          failure ??= error
          settled()
        },
      )
  })
  clearTimeout(grace)
  until.removeEventListener('abort', cancel)
  // Ends the family that is still being asked.
  resolver.cancel()
  if (found.length === 0) throw failure instanceof Error ? failure : new Error('the name has no address')
  return found
}
