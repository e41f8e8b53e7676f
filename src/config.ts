// The only reader of the environment: every setting once, with its default, and one error that names all wrong ones.
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { z } from 'zod'
import { TouchstoneError } from './errors.ts'

const whole = (min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`
  return z.coerce.number({ error }).int({ error }).min(min, { error }).max(max, { error })
}
const port = whole(0, 65_535)
const positive = (max: number) => whole(1, max)

/** An address, or a network in CIDR notation. */
function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/')
  const version = isIP(address)
  if (version === 0 || more.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
}
const proxies = z
  .string()
  .refine(
    (list) => list.split(',').every((one) => isNetwork(one.trim())),
    'must be IP addresses or networks in CIDR notation, with commas between',
  )

interface Setting<S extends z.ZodType = z.ZodType> {
  readonly schema: S
  /** Shown in the README, as text; `unset` where the absence has a meaning of its own. */
  readonly default: string
  readonly doc: string
}
const setting = <S extends z.ZodType>(schema: S, fallback: string, doc: string): Setting<S> => ({
  schema,
  default: fallback,
  doc,
})

/** Every setting; the table in the README equals this list, both ways (test/docs). */
export const SETTINGS = {
  DATABASE_URL: setting(
    z.url({ protocol: /^postgres(ql)?$/ }).optional(),
    'unset',
    'PostgreSQL of the store and the log; unset: an embedded server in the data directory',
  ),
  TOUCHSTONE_DATA_DIR: setting(
    z.string().min(1).default('.touchstone'),
    '.touchstone',
    'Where the embedded server keeps its data',
  ),
  HOST: setting(z.string().min(1).default('127.0.0.1'), '127.0.0.1', 'Address that HTTP and metrics listen on'),
  PORT: setting(port.default(8080), '8080', 'Port of the HTTP API and the page; 0: any free one'),
  METRICS_PORT: setting(port.default(9464), '9464', 'Port of `GET /metrics`; 0: any free one'),
  TOUCHSTONE_PUBLIC_URL: setting(
    z.url({ protocol: /^https?$/ }).optional(),
    'unset',
    'Address that people and links use; unset: the listening address',
  ),
  TOUCHSTONE_TRUST_PROXY: setting(
    proxies.optional(),
    'unset',
    'Addresses and networks (such as `10.0.0.0/8`), with commas between, of proxies whose X-Forwarded-For is believed; unset: none',
  ),
  TOUCHSTONE_TOPIC_PREFIX: setting(
    z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,100}$/, 'must be letters, digits, dots, hyphens or underscores')
      .default('touchstone'),
    'touchstone',
    'First part of every topic name',
  ),
  TOUCHSTONE_PARTITIONS: setting(
    positive(1024).default(12),
    '12',
    'Partitions of a topic that is created; an existing topic keeps its own',
  ),
  TOUCHSTONE_BATCH_RECORDS: setting(
    positive(10_000).default(500),
    '500',
    'Records that one batch and one store transaction hold at most',
  ),
  TOUCHSTONE_BATCH_BYTES: setting(positive(1 << 30).default(8 << 20), '8388608', 'Bytes that one batch holds at most'),
  TOUCHSTONE_CONCURRENCY: setting(positive(256).default(4), '4', 'Partitions that one process works on at once'),
  TOUCHSTONE_MAX_LISTING_BYTES: setting(
    positive(64 << 20).default(4 << 20),
    '4194304',
    'Bytes that one listing may have; beyond: refused as too large',
  ),
  TOUCHSTONE_MAX_BODY_BYTES: setting(
    positive(1 << 30).default(64 << 20),
    '67108864',
    'Bytes that one NDJSON request may have',
  ),
  TOUCHSTONE_MAX_BODY_LINES: setting(
    positive(1_000_000).default(50_000),
    '50000',
    'Lines that one NDJSON request may have',
  ),
  TOUCHSTONE_REQUESTS_PER_MINUTE: setting(
    positive(10_000_000).default(6_000),
    '6000',
    'Requests that one key or session may make in a minute',
  ),
  TOUCHSTONE_LISTING_BUDGET_MS: setting(
    positive(60_000).default(500),
    '500',
    'Milliseconds that reading, signals and rules of one listing may take together; what did not run by then has failed',
  ),
  TOUCHSTONE_CURRENCIES: setting(
    z.string().min(1).optional(),
    'unset',
    'JSON file with US dollars per unit of each currency, instead of the table that ships',
  ),
  TOUCHSTONE_OUTBOX_HOURS: setting(
    positive(8_760).default(72),
    '72',
    'Hours that published decisions stay in the feed',
  ),
  LOG_LEVEL: setting(
    z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).optional(),
    'info',
    'Least severe log line that is written; in the demo `warn` unless set',
  ),
} as const satisfies Record<string, Setting>

/** Settings of versions to come. */
const NOT_YET = [
  'KAFKA_BROKERS',
  'OIDC_ISSUER',
  'OIDC_CLIENT_ID',
  'OIDC_CLIENT_SECRET',
  'TOUCHSTONE_IMAGE_HOSTS',
] as const

type Settings = { [K in keyof typeof SETTINGS]: z.output<(typeof SETTINGS)[K]['schema']> }
export type Config = Readonly<Omit<Settings, 'TOUCHSTONE_DATA_DIR'> & { TOUCHSTONE_DATA_DIR: string }>

/**
 * Reads all settings at once. An empty variable counts as unset.
 * @throws TouchstoneError `settings-invalid` that names every wrong setting and what is expected, never a value.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const wrong: string[] = []
  const values: Record<string, unknown> = {}
  // Going on without them would send listings, or people, elsewhere than the operator believes.
  for (const name of NOT_YET)
    if ((env[name] ?? '') !== '') wrong.push(`${name}: is not supported by this version; unset it`)
  for (const [name, { schema }] of Object.entries(SETTINGS)) {
    const raw = env[name]
    const result = schema.safeParse(raw === '' ? undefined : raw)
    if (result.success) values[name] = result.data
    else wrong.push(`${name}: ${result.error.issues.map((issue) => issue.message).join('; ')}`)
  }
  if (wrong.length > 0) throw new TouchstoneError('settings-invalid', wrong.join('\n'))
  values['TOUCHSTONE_DATA_DIR'] = resolve(String(values['TOUCHSTONE_DATA_DIR']))
  return Object.freeze(values) as Config
}
