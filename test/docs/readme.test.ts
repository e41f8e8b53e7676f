// The README's tables equal the code, both ways, and its map names every folder that there is.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { TABLES, withTables } from '../../scripts/readme-tables.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
const src = new URL('../../src/', import.meta.url)

const folders = readdirSync(src, { withFileTypes: true })
  .filter((e) => e.isDirectory())
  .map((e) => e.name)

describe('README.md', () => {
  it.each(Object.keys(TABLES))(
    'has the table of %s as the code says it (node scripts/readme-tables.ts writes it)',
    (name) => {
      const section = (text: string) => text.split(`<!-- table: ${name} -->`)[1]?.split(`<!-- end: ${name} -->`)[0]
      expect(section(readme)).toBe(section(withTables(readme)))
    },
  )

  it('names every folder of src in its map, and none that is not there', () => {
    const map = readme.split('## The map')[1]?.split('\n## ')[0] ?? ''
    const named = [...map.matchAll(/^\| `src\/([a-z-]+)\/` /gm)].map((m) => m[1])
    expect(new Set(named)).toEqual(new Set(folders))
  })

  it.each(folders)('src/%s has a README that says what lives there', (folder) => {
    expect(existsSync(new URL(`${folder}/README.md`, src))).toBe(true)
  })
})
