// Real: PostgreSQL, processes that are killed and frozen. The log in PostgreSQL keeps the contract of the port `Log`.
import { describeLog } from '../contracts/log.ts'
import { startPostgresLog } from './postgres-log-harness.ts'

describeLog('PostgreSQL', startPostgresLog)
