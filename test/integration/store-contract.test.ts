// The store on a real PostgreSQL, under the contracts of every store.
import { feedContract } from '../contracts/store-feed.ts'
import { referenceStoreContract } from '../contracts/store-reference.ts'
import { gateStoreContract } from '../contracts/store.ts'
import { startPostgresStore } from './store-on-postgres.ts'

gateStoreContract('PostgreSQL', startPostgresStore)
feedContract('PostgreSQL', startPostgresStore)
referenceStoreContract('PostgreSQL', startPostgresStore)
