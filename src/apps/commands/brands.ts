// `brands`: rights holders' marks in, live in running workers within 2 s.
import type { Command } from 'commander'
import { checkBrands } from '../../pipeline/brands.ts'
import { parseBrandFile } from '../../rights/brands.ts'
import { TouchstoneError } from '../../errors.ts'
import { readText } from '../shipped-gate.ts'
import { COMMAND_LINE, print, table, withStore } from './with-store.ts'

export function registerBrands(program: Command): void {
  const brands = program
    .command('brands')
    .description('Brands: import, list, show.')
    .addHelpText('after', '\nExample:\n  $ touchstone brands list --match nordhavn')
  brands
    .command('import <file>')
    .description(
      'Add or replace brands from a JSON array or NDJSON; - is standard input. Nothing is written if a row is wrong.',
    )
    .option('--skip-invalid', 'import the sound rows and report the others (exit code 3)')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExample:\n  $ echo \'{"brandId":"nordhavn","name":"Nordhavn","copied":"some"}\' | touchstone brands import -',
    )
    .action(async (file: string, options: { skipInvalid?: boolean; json?: boolean }) => {
      const { brands: sound, rejects, warnings } = parseBrandFile(await readText(file))
      for (const r of rejects) process.stderr.write(`line ${r.line}: ${r.message}\n`)
      for (const w of warnings) process.stderr.write(`line ${w.line}: warning: ${w.message}\n`)
      if (rejects.length > 0 && options.skipInvalid !== true) {
        throw new TouchstoneError(
          'brand-invalid',
          `${file}: ${rejects.length} of ${rejects.length + sound.length} rows are wrong; nothing was imported (--skip-invalid imports the others)`,
        )
      }
      checkBrands(sound)
      await withStore('brands', async (_store, reference) => {
        const result = await reference.upsertBrands(sound, COMMAND_LINE)
        print(
          options.json,
          { ...result, rejected: rejects.length },
          `${result.added} added, ${result.changed} changed, ${result.unchanged} unchanged, ${rejects.length} rejected.`,
        )
      })
      process.exitCode = rejects.length > 0 ? 3 : 0
    })
  brands
    .command('list')
    .description('All brands, or those whose id or name contains a text.')
    .option('--match <text>', 'part of an id or a name')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  $ touchstone brands list --match nordhavn')
    .action(async (options: { match?: string; json?: boolean }) => {
      await withStore('brands', async (_store, reference) => {
        const wanted = options.match?.toLowerCase()
        const all = (await reference.load()).brands.filter(
          (b) => wanted === undefined || b.brandId.includes(wanted) || b.name.toLowerCase().includes(wanted),
        )
        const rows = all.map((b) => [
          b.brandId,
          b.name,
          b.copied,
          b.ambiguous ? 'yes' : '-',
          String(b.aliases.length),
          String(b.priceBands.length),
        ])
        print(
          options.json,
          all,
          all.length === 0
            ? 'No brand matches.'
            : `${table(['brand', 'name', 'copied', 'is a word', 'aliases', 'price bands'], rows)}${all.length} brands\n`,
        )
      })
    })
  brands
    .command('show <brandId>')
    .description('One brand as JSON: edit it and import it again.')
    .addHelpText('after', '\nExample:\n  $ touchstone brands show nike')
    .action(async (brandId: string) => {
      await withStore('brands', async (_store, reference) => {
        const brand = await reference.brand(brandId)
        if (brand === undefined) throw new TouchstoneError('not-found', `there is no brand ${brandId}`)
        print(true, brand, '')
      })
    })
}
