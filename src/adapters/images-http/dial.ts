// A socket to one of the checked addresses, with the name that the URL had in the TLS handshake.
import net from 'node:net'
import tls from 'node:tls'

export interface Place {
  /** As in the URL: for the server name and the certificate, never looked up. */
  readonly host: string
  readonly port: number
  readonly secure: boolean
  /** Checked; tried in turn. */
  readonly addresses: readonly string[]
}

/** Connected, and where `secure` the certificate is verified. Rejects, and leaves no socket, when `until` is given. */
export type Dial = (place: Place, until: AbortSignal) => Promise<net.Socket>

// The next address is tried beside one that is silent for so long; the total has a limit of its own.
const ATTEMPT_MS = 1_000

export const dial: Dial = ({ host, port, secure, addresses }, until) =>
  new Promise((resolve, reject) => {
    const literal = net.isIP(host) !== 0
    const options: net.TcpNetConnectOpts = {
      // A literal is not looked up by Node; in its place stands the checked form of it.
      host: literal ? (addresses[0] ?? host) : host,
      port,
      noDelay: true,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: ATTEMPT_MS,
      // The second look-up that a rebinding name waits for never happens: the answer is what was checked.
      lookup: (_host, _options, done) =>
        done(
          null,
          addresses.map((address) => ({ address, family: net.isIP(address) })),
        ),
    }
    const socket = secure
      ? tls.connect({
          ...options,
          // An address must not be sent as a name; the certificate is then checked against `host`.
          ...(literal ? {} : { servername: host }),
          ALPNProtocols: ['http/1.1'],
          // Said, because NODE_TLS_REJECT_UNAUTHORIZED could otherwise switch it off.
          rejectUnauthorized: true,
        })
      : net.connect(options)
    const end = () => {
      socket.destroy()
      reject(new Error('it was ended'))
    }
    if (until.aborted) end()
    else until.addEventListener('abort', end, { once: true })
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      until.removeEventListener('abort', end)
      resolve(socket)
    })
    // Stays for good: a failure between here and the first request must not end the process.
    socket.on('error', (error: Error) => {
      until.removeEventListener('abort', end)
      socket.destroy()
      reject(error)
    })
  })
