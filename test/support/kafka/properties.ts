// Writes the settings file of one test broker.

/** The shortest session that a member of a group may have: tests that wait for a dead member wait this long at least. */
export const SHORTEST_SESSION_MS = 500

export interface Listener {
  readonly name: string
  readonly port: number
  readonly protocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'
  /** Where clients are sent, `host:port`; without it to the listener itself. */
  readonly advertised?: string | undefined
  /** More settings, without `listener.name.<name>.` before them. */
  readonly settings?: Readonly<Record<string, string>> | undefined
}

export interface ServerSettings {
  readonly id: number
  readonly data: string
  /** The ports of the controllers; their broker's id is one more than the index. */
  readonly voters: readonly number[]
  /** The first is the one among the brokers. */
  readonly listeners: readonly [Listener, ...Listener[]]
  readonly more?: Readonly<Record<string, string>> | undefined
}

/** As Kafka reads it; combined roles, everything on 127.0.0.1, and what makes a broker of seconds quick. */
export function serverProperties({ id, data, voters, listeners, more }: ServerSettings): string {
  const copies = String(voters.length)
  // With three, one may die and everything goes on.
  const inSync = voters.length === 3 ? '2' : '1'
  const address = ({ name, port }: { name: string; port: number }) => `${name}://127.0.0.1:${port}`
  const controller = { name: 'CONTROLLER', port: voters[id - 1] ?? 0 }
  const settings: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': String(id),
    'controller.quorum.voters': voters.map((port, index) => `${index + 1}@127.0.0.1:${port}`).join(','),
    listeners: [...listeners, controller].map(address).join(','),
    'advertised.listeners': listeners
      .map((listener) =>
        listener.advertised === undefined ? address(listener) : `${listener.name}://${listener.advertised}`,
      )
      .join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': listeners[0].name,
    'listener.security.protocol.map': [...listeners, { name: 'CONTROLLER', protocol: 'PLAINTEXT' }]
      .map(({ name, protocol }) => `${name}:${protocol}`)
      .join(','),
    'offsets.topic.replication.factor': copies,
    'offsets.topic.num.partitions': '5',
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': '5',
    'default.replication.factor': copies,
    'min.insync.replicas': inSync,
    'auto.create.topics.enable': 'false',
    'num.partitions': '1',
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': String(SHORTEST_SESSION_MS),
    // 128 MB otherwise, half of the heap.
    'log.cleaner.dedupe.buffer.size': '4194304',
    // With the defaults a broker that was killed needs 12 s to come back instead of 4, as its old session is waited for.
    'broker.session.timeout.ms': '2000',
    'broker.heartbeat.interval.ms': '300',
    // An orphaned transaction ends within a second of its time, not of ten.
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': '1000',
    'log.dirs': data,
  }
  for (const { name, settings: own } of listeners)
    for (const [key, value] of Object.entries(own ?? {})) settings[`listener.name.${name.toLowerCase()}.${key}`] = value
  return Object.entries({ ...settings, ...more })
    .map(([key, value]) => `${key}=${value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`)
    .join('')
}
