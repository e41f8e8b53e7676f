// The banks on a real PostgreSQL, under the contract of every store of banks.
import { bankStoreContract } from '../contracts/store-banks.ts'
import { startPostgresStore } from './store-on-postgres.ts'

bankStoreContract('PostgreSQL', async () => {
  const shared = await startPostgresStore()
  const first = await shared.node()
  return {
    node: async () => (await shared.node()).banks,
    head: () => first.reference.change(),
    async putBank(bank) {
      const row = "insert into bank (bank_id, version, body, change, changed_by) values ($1, 1, $2, 0, 'old')"
      await first.database.deciding.query(row, [bank.bankId, bank])
    },
    close: () => shared.close(),
  }
})
