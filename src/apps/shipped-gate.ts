// A gate from what ships and from files, without a database: for `screen` and `evaluate`, which record nothing.
import { readFile } from 'node:fs/promises'
import type { Brand } from '../domain/brand.ts'
import { TouchstoneError, messageOf } from '../errors.ts'
import type { Gate } from '../pipeline/assess.ts'
import { parsePolicy } from '../pipeline/policies.ts'
import { compileGate } from '../pipeline/reference.ts'
import { defaultPolicy } from '../policy/default.ts'
import { parseBrandFile, shippedBrands } from '../rights/brands.ts'
import { withShippedPriceBands } from '../rights/price-bands.ts'
import { createTelemetry } from '../telemetry.ts'
import { gateParts } from './gate-parts.ts'
import { openTextModels } from './text-models.ts'

export interface GateFiles {
  /** A policy document instead of the default one. */
  readonly policy?: string | undefined
  /** Brands that are added to, or replace, those that ship. */
  readonly brands?: string | undefined
  readonly currencies: string | undefined
  readonly budgetMs: number
}

/**
 * For one listing of a file. Nobody waits for it as for one that is on its way to a shop, and nothing tries it again: what a
 * gate gives up on a busy machine would make decisions and figures those of the machine. As long as the setting may be.
 */
export const OF_A_FILE_MS = 60_000

export async function shippedGate(files: GateFiles): Promise<Gate> {
  const policy = files.policy === undefined ? defaultPolicy() : parsePolicy(await readJsonFile(files.policy))
  const brands = new Map<string, Brand>(withShippedPriceBands(shippedBrands()).map((b) => [b.brandId, b]))
  if (files.brands !== undefined) for (const brand of await readBrands(files.brands)) brands.set(brand.brandId, brand)
  // The process may end while its threads wait for more: nobody closes what a command asks once.
  const text = await openTextModels({ threads: 1, logger: createTelemetry({ level: 'error' }).log })
  return compileGate(await gateParts({ ...files, textModel: text.shipped }), {
    change: 0n,
    brands: [...brands.values()],
    policy,
  })
}

/** @throws TouchstoneError `input-invalid` naming the file. */
export async function readJsonFile(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readText(path))
  } catch (error) {
    throw error instanceof TouchstoneError
      ? error
      : new TouchstoneError('input-invalid', `${path}: not JSON: ${messageOf(error)}`)
  }
}

export async function readText(path: string): Promise<string> {
  try {
    if (path !== '-') return await readFile(path, 'utf8')
    const parts: Buffer[] = []
    for await (const part of process.stdin) parts.push(Buffer.from(part as Uint8Array))
    return Buffer.concat(parts).toString('utf8')
  } catch (error) {
    throw new TouchstoneError('input-invalid', `${path}: ${messageOf(error)}`, { cause: error })
  }
}

async function readBrands(path: string): Promise<readonly Brand[]> {
  const { brands, rejects } = parseBrandFile(await readText(path))
  const first = rejects[0]
  if (first !== undefined)
    throw new TouchstoneError(
      'brand-invalid',
      `${path}: ${first.message}${rejects.length > 1 ? ` (and ${rejects.length - 1} more)` : ''}`,
    )
  return brands
}
