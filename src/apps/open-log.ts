// What the processes need of a log that is open, whichever it is, besides the port.
import type { Pool } from 'pg'
import type { Outbox } from '../adapters/postgres/outbox.ts'
import type { Config } from '../config.ts'
import type { Log } from '../pipeline/log/ports.ts'
import type { Publisher } from '../pipeline/ports.ts'
import type { Telemetry } from '../telemetry.ts'

export interface PublishingOptions {
  readonly pool: Pool
  /** Names this process among those that share the outbox. */
  readonly owner: string
  readonly outbox: Outbox
  /** Full names of those that are published to. */
  readonly topics: readonly string[]
}

export interface OpenLog {
  readonly log: Log
  /** A failure of the log or of the store that passes by itself. */
  isTransient(error: unknown): boolean
  /** Says which of the two cannot be reached; other failures stay what they are. */
  explained(error: unknown): unknown
  /** Removes what is past its retention; 0 where the log does so by itself. */
  prune(): Promise<number>
  /** From the outbox to the topics: one for each loop, by the loop's name. To be released before the log is closed. */
  publishers(options: PublishingOptions): Promise<Readonly<Record<string, Publisher>>>
  close(): Promise<void>
}

export interface LogOptions {
  readonly config: Config
  /** Of the store's database. */
  readonly url: string
  /** The command, for the logs of the brokers. */
  readonly program: string
  readonly telemetry: Telemetry
  readonly onError: (error: Error) => void
}
