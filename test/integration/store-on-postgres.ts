// The real store on a database of its own, as one or several processes would open it.
import type { Pool } from 'pg'
import { onTestFinished } from 'vitest'
import { createBankStore } from '../../src/adapters/postgres/bank-store.ts'
import { connect } from '../../src/adapters/postgres/connect.ts'
import type { ConnectOptions, Database } from '../../src/adapters/postgres/connect.ts'
import { createKeyStore, createSessionStore } from '../../src/adapters/postgres/access-store.ts'
import { createCaseReader } from '../../src/adapters/postgres/case-reader.ts'
import { createDecisionReader } from '../../src/adapters/postgres/decision-reader.ts'
import { createGateStore } from '../../src/adapters/postgres/gate-store.ts'
import { createKeptPictures } from '../../src/adapters/postgres/kept-pictures.ts'
import { createListingSummaries } from '../../src/adapters/postgres/listing-summaries.ts'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import { STORE_MIGRATIONS } from '../../src/adapters/postgres/migrations.ts'
import { createLabelStore } from '../../src/adapters/postgres/label-store.ts'
import { createModelStore } from '../../src/adapters/postgres/model-store.ts'
import { createOutbox } from '../../src/adapters/postgres/outbox.ts'
import { prepareOutputs } from '../../src/adapters/postgres/outputs.ts'
import { createPictureStore } from '../../src/adapters/postgres/picture-store.ts'
import { createReferenceStore } from '../../src/adapters/postgres/reference-store.ts'
import { createReviewStore } from '../../src/adapters/postgres/review-store.ts'
import { createVerdictStore } from '../../src/adapters/postgres/verdict-store.ts'
import type { SharedStore, StoreNode } from '../contracts/store.ts'
import { DECISIONS, OUTPUTS, VERDICTS } from '../contracts/store-samples.ts'
import type { KeptPictureReader } from '../../src/api/ports.ts'
import type { PictureStore } from '../../src/pipeline/pictures/ports.ts'
import type { ReviewStore } from '../../src/pipeline/review/ports.ts'
import type { BankStore } from '../../src/rights/bank-ports.ts'
import { freshDatabase } from '../support/database.ts'

export interface PostgresNode extends StoreNode {
  readonly url: string
  readonly database: Database
  readonly banks: BankStore
  readonly keptPictures: KeptPictureReader
  readonly pictures: PictureStore
}

export interface PostgresStore extends SharedStore {
  readonly url: string
  node(options?: ConnectOptions): Promise<PostgresNode>
}

/** One more output, which the other contracts do not know: made with the first word that is said. */
function reviewStore(pool: Pool): ReviewStore {
  let made: Promise<ReviewStore> | undefined
  const store = () =>
    (made ??= prepareOutputs(pool, { ...OUTPUTS, [VERDICTS]: 2 }).then((outputs) =>
      createReviewStore({ pool, outputs }),
    ))
  return {
    settle: async (about, asked, settle) => (await store()).settle(about, asked, settle),
    claim: async (...asked) => (await store()).claim(...asked),
  }
}

/** One process on a fresh store; both are closed when the test that runs has finished, after its own `afterEach`. */
export async function freshNode(options?: ConnectOptions): Promise<PostgresNode> {
  const shared = await startPostgresStore()
  onTestFinished(() => shared.close())
  return shared.node(options)
}

export async function startPostgresStore(): Promise<PostgresStore> {
  const fresh = await freshDatabase()
  const open: Database[] = []
  return {
    url: fresh.url,
    async node(options = {}) {
      const database = await connect(fresh.url, options)
      open.push(database)
      await migrate(database.deciding, 'store', STORE_MIGRATIONS)
      const outbox = createOutbox({ pool: database.deciding })
      return {
        url: fresh.url,
        database,
        banks: createBankStore({ pool: database.reading, listener: database.listener }),
        keptPictures: createKeptPictures(database.reading),
        pictures: createPictureStore(database.reading),
        store: await createGateStore({ pool: database.deciding, outputs: OUTPUTS }),
        verdicts: createVerdictStore({ pool: database.deciding, outputs: OUTPUTS }),
        review: reviewStore(database.deciding),
        cases: createCaseReader(database.reading),
        async waitingFor(topic) {
          const { rows } = await database.reading.query<{ count: number }>(
            'select count(*)::int as count from outbox where topic = $1',
            [topic],
          )
          return rows[0]?.count ?? 0
        },
        async caseOf(caseId) {
          const { rows } = await database.reading.query<{ state: string; closed_at: Date | null; due_at: Date | null }>(
            'select state, closed_at, due_at from review_case where case_id = $1',
            [caseId],
          )
          const [row] = rows
          if (row === undefined) return undefined
          return { state: row.state, closed: row.closed_at !== null, dueAt: row.due_at?.toISOString() ?? null }
        },
        reader: createDecisionReader({ pool: database.reading, decisions: DECISIONS }),
        summaries: createListingSummaries(database.reading),
        reference: createReferenceStore({ pool: database.reading, listener: database.listener }),
        models: createModelStore(database.reading),
        labels: createLabelStore(database.reading),
        keys: createKeyStore(database.reading),
        sessions: createSessionStore(database.reading),
        async forget() {
          while ((await outbox.drain(1_000, () => Promise.resolve())) > 0);
          await outbox.prune(0)
        },
      }
    },
    async close() {
      await Promise.all(open.map((database) => database.close()))
      await fresh.drop()
    },
  }
}
