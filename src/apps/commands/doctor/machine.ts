// What `doctor` says of the machine: Node, memory, disk, ports, and what ships with the package.
import { access, constants, mkdir, statfs } from 'node:fs/promises'
import { availableParallelism, totalmem } from 'node:os'
import { dirname } from 'node:path'
import type { Config } from '../../../config.ts'
import { messageOf } from '../../../errors.ts'
import { assertPortsFree } from '../../http.ts'
import { shippedGate } from '../../shipped-gate.ts'
import type { Finding } from './finding.ts'

const NEEDED_NODE = 24
const LITTLE_DISK = 2 * 2 ** 30
const LITTLE_MEMORY = 2 ** 30

export function node(): Finding {
  const major = Number(process.versions.node.split('.')[0])
  const detail = `${process.version} on ${process.platform} ${process.arch}, ${availableParallelism()} processors`
  return major >= NEEDED_NODE
    ? { name: 'node', state: 'ok', detail }
    : { name: 'node', state: 'wrong', detail, cure: `install Node ${NEEDED_NODE} or newer` }
}

export function memory(): Finding {
  const detail = `${(totalmem() / 2 ** 30).toFixed(1)} GiB`
  return totalmem() >= LITTLE_MEMORY
    ? { name: 'memory', state: 'ok', detail }
    : { name: 'memory', state: 'warning', detail, cure: 'give it at least 1 GiB' }
}

export async function reference(config: Config): Promise<Finding> {
  try {
    const gate = await shippedGate({
      currencies: config.TOUCHSTONE_CURRENCIES,
      budgetMs: config.TOUCHSTONE_LISTING_BUDGET_MS,
    })
    return {
      name: 'reference data',
      state: 'ok',
      detail: `${gate.brands.size} brands, ${gate.signals.length} signals, scorecard ${gate.scorecard.version} ship and compile`,
    }
  } catch (error) {
    return {
      name: 'reference data',
      state: 'wrong',
      detail: messageOf(error),
      cure: 'install the package again, or mend the file that is named',
    }
  }
}

export async function dataDirectory(directory: string): Promise<Finding> {
  try {
    await mkdir(directory, { recursive: true })
    await access(directory, constants.W_OK)
  } catch (error) {
    return {
      name: 'data directory',
      state: 'wrong',
      detail: messageOf(error),
      cure: `make ${dirname(directory)} writable, or set TOUCHSTONE_DATA_DIR`,
    }
  }
  const { bavail, bsize } = await statfs(directory)
  const free = bavail * bsize
  const detail = `${directory}, ${(free / 2 ** 30).toFixed(1)} GiB free`
  return free >= LITTLE_DISK
    ? { name: 'data directory', state: 'ok', detail }
    : {
        name: 'data directory',
        state: 'warning',
        detail,
        cure: 'a full disk stops the gate: free some, or set TOUCHSTONE_DATA_DIR',
      }
}

export async function ports(config: Config): Promise<Finding> {
  try {
    await assertPortsFree(config, ['PORT', 'METRICS_PORT'])
    return { name: 'ports', state: 'ok', detail: `${config.HOST}:${config.PORT} and :${config.METRICS_PORT} are free` }
  } catch (error) {
    return {
      name: 'ports',
      state: 'warning',
      detail: messageOf(error),
      cure: 'nothing to do if that is a running Touchstone',
    }
  }
}
