// Everything that routes are given: the ports they read and write, the flows they start, the limits they keep.
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { DecisionReader } from '../pipeline/ports.ts'
import type { PictureReader } from '../pipeline/pictures/ports.ts'
import type { BankStore } from '../rights/bank-ports.ts'
import type { Review } from '../pipeline/review.ts'
import type { CaseReader } from '../review/ports.ts'
import type { ReferenceStore } from '../rights/ports.ts'
import type { Signal } from '../signals/signal.ts'
import type { Authenticator } from './access.ts'
import type { AnswerRoom } from './answer-stream.ts'
import type { FeedWatch } from './feed-watch.ts'
import type {
  DecisionHints,
  DryRun,
  Intake,
  KeptPictureReader,
  KeyStore,
  Learning,
  ListingSummaryReader,
  PublishPolicy,
  RollbackPolicy,
  ReadinessProbe,
  RecentDecisions,
  SessionStore,
} from './ports.ts'
import type { FindEnd } from './record-ends.ts'
import type { Turns } from './turns.ts'
import type { WaitingRoom } from './waiting.ts'

export interface ApiLimits {
  /** Of one listing, alone or as a line of NDJSON; also of every other JSON body. */
  readonly listingBytes: number
  /** Of one NDJSON body. */
  readonly ndjsonBytes: number
  /** Of one NDJSON body: the answer has a result for each. */
  readonly ndjsonLines: number
  /** Of one picture for a bank. */
  readonly pictureBytes: number
  /** Requests that one key or session may make in a minute. */
  readonly requestsPerMinute: number
}

export interface ApiDependencies {
  readonly log: FastifyBaseLogger
  /** Gives a failure that is the world's, such as a dead database, its name in the catalogue; others stay what they are. */
  readonly explained: (error: unknown) => unknown
  readonly limits: ApiLimits
  /** Address that people and links use; https makes cookies Secure. Undefined: the listening address, over HTTP. */
  readonly publicUrl: string | undefined
  /** Addresses and networks of proxies whose X-Forwarded-For is believed, with commas between; undefined: none. */
  readonly trustProxy: string | undefined
  /** Such as the package's version; shown in OpenAPI. */
  readonly version: string
  readonly intake: Intake
  readonly dryRun: DryRun
  readonly publishPolicy: PublishPolicy
  readonly rollbackPolicy: RollbackPolicy
  readonly decisions: DecisionReader
  readonly recent: RecentDecisions
  readonly cases: CaseReader
  readonly review: Review
  readonly summaries: ListingSummaryReader
  readonly reference: ReferenceStore
  readonly learning: Learning
  readonly banks: BankStore
  readonly keptPictures: KeptPictureReader
  readonly reader: PictureReader
  readonly signals: readonly Pick<Signal, 'name' | 'version' | 'label' | 'description' | 'mode' | 'sources'>[]
  readonly keys: KeyStore
  readonly sessions: SessionStore
  readonly probe: ReadinessProbe
  readonly hints?: DecisionHints
  /** The AsyncAPI document, as YAML. */
  readonly asyncApi: string
}

/** What a route file gets: the dependencies and what the server made of them. */
export interface RouteServices extends ApiDependencies {
  readonly waiting: WaitingRoom
  readonly findEnd: FindEnd
  readonly watchFeed: FeedWatch
  readonly answers: AnswerRoom
  readonly turns: Turns
  readonly authenticator: Authenticator
  readonly cookieName: string
  readonly publicOrigin: string | undefined
}

export type Api = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>
