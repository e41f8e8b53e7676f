// The banks on a real PostgreSQL, under the contract of every store of banks.
import { createBankStore } from '../../src/adapters/postgres/bank-store.ts'
import { bankStoreContract } from '../contracts/store-banks.ts'
import { startPostgresStore } from './store-on-postgres.ts'

bankStoreContract('PostgreSQL', async () => {
  const shared = await startPostgresStore()
  const first = await shared.node()
  return {
    async node() {
      const { database } = await shared.node()
      return createBankStore({ pool: database.reading, listener: database.listener })
    },
    head: () => first.reference.change(),
    close: () => shared.close(),
  }
})
