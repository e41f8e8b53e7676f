// The store on a real PostgreSQL, under the contracts of every store.
import { feedContract } from '../contracts/store-feed.ts'
import { holdsContract } from '../contracts/store-holds.ts'
import { modelStoreContract } from '../contracts/store-models.ts'
import { referenceStoreContract } from '../contracts/store-reference.ts'
import { caseBrandsContract } from '../contracts/store-case-brands.ts'
import { casesContract } from '../contracts/store-cases.ts'
import { reviewContract } from '../contracts/store-review.ts'
import { undoingContract } from '../contracts/store-undoing.ts'
import { withdrawnCasesContract } from '../contracts/store-withdrawn.ts'
import { verdictsContract } from '../contracts/store-verdicts.ts'
import { gateStoreContract } from '../contracts/store.ts'
import { startPostgresStore } from './store-on-postgres.ts'

gateStoreContract('PostgreSQL', startPostgresStore)
verdictsContract('PostgreSQL', startPostgresStore)
reviewContract('PostgreSQL', startPostgresStore)
undoingContract('PostgreSQL', startPostgresStore)
casesContract('PostgreSQL', startPostgresStore)
caseBrandsContract('PostgreSQL', startPostgresStore)
withdrawnCasesContract('PostgreSQL', startPostgresStore)
holdsContract('PostgreSQL', startPostgresStore)
feedContract('PostgreSQL', startPostgresStore)
referenceStoreContract('PostgreSQL', startPostgresStore)
modelStoreContract('PostgreSQL', startPostgresStore)
