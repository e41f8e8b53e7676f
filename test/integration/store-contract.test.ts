// The store on a real PostgreSQL, under the contract of every store.
import { gateStoreContract } from '../contracts/store.ts'
import { startPostgresStore } from './store-on-postgres.ts'

gateStoreContract('PostgreSQL', startPostgresStore)
