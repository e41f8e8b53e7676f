// What every gate is made of besides brands and policy: the signals, the scorecard and the currencies.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ZodError } from 'zod'
import { describeIssues } from '../domain/schema-issues.ts'
import { TouchstoneError, messageOf } from '../errors.ts'
import { assertComplete } from '../pipeline/models.ts'
import type { GateParts } from '../pipeline/reference.ts'
import { parseCurrencyTable, shippedCurrencies } from '../rights/currencies.ts'
import { loadScorecard } from './scorecard-file.ts'
import { SIGNALS } from '../signals/index.ts'
import type { TextModel } from '../signals/text-model/ports.ts'
import { PACKAGE_ROOT } from './package-root.ts'

export async function gateParts(options: {
  currencies: string | undefined
  budgetMs: number
  /** The version that ships, where the words of listings are looked at. */
  textModel?: TextModel | undefined
}): Promise<GateParts> {
  const { usdPer } = options.currencies === undefined ? shippedCurrencies() : await ownCurrencies(options.currencies)
  const scorecard = await loadScorecard(join(PACKAGE_ROOT, 'models'))
  // Start-up proves the registry.
  assertComplete(SIGNALS, scorecard)
  return {
    signals: SIGNALS,
    scorecard,
    textModel: options.textModel,
    usdPer: (currency) => (Object.hasOwn(usdPer, currency) ? usdPer[currency] : undefined),
    budgetMs: options.budgetMs,
  }
}

async function ownCurrencies(path: string) {
  try {
    return parseCurrencyTable(await readFile(path, 'utf8'))
  } catch (error) {
    const what = error instanceof ZodError ? describeIssues(error, undefined).message : messageOf(error)
    throw new TouchstoneError('settings-invalid', `TOUCHSTONE_CURRENCIES: ${path}: ${what}`, { cause: error })
  }
}
