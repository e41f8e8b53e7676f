// What the READMEs of fixtures, models and scripts say lies there, does. Real: the files.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { readStory } from '../../src/apps/demo/story.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const readmeOf = (folder: string) => readFileSync(`${root}${folder}/README.md`, 'utf8')
const namesIn = (folder: string) => readdirSync(`${root}${folder}`).filter((name) => name !== 'README.md')

it.each(['fixtures', 'models'])('every folder of %s stands in its README', (folder) => {
  for (const name of namesIn(folder)) expect(readmeOf(folder)).toContain(`${name}/`)
})

it.each(['fusion', 'text'])('the README of models names every version of %s', (name) => {
  const said = readmeOf('models').split(`\`${name}/\``)[1]?.split('`')[0] ?? ''
  for (const version of namesIn(`models/${name}`)) expect(said.toLowerCase()).toContain(`version ${version}`)
})

it('every command for developers stands in the README of scripts', () => {
  const said = readmeOf('scripts')
  const named = (name: string) =>
    said.includes(`\`${name}\``) || said.includes(`\`${name.split('-')[0] ?? name}-*.ts\``)
  expect(namesIn('scripts').filter((name) => /\.(ts|mjs)$/.test(name) && !named(name))).toEqual([])
})

it('the demo has as many records, chapters and verdicts as its README says', async () => {
  const { chapters, pictures } = await readStory(`${root}fixtures/demo`)
  const records = chapters.reduce((sum, chapter) => sum + chapter.rows.length, 0)
  const verdicts = chapters
    .flatMap((chapter) => chapter.interludes)
    .filter(({ what }) => what.event === 'verdict').length
  expect(readmeOf('fixtures/demo')).toContain(
    `${records} records in ${chapters.length} chapters, a day on a small marketplace, and ${verdicts} verdicts`,
  )
  expect([...pictures.keys()].toSorted()).toEqual(namesIn('fixtures/demo/pictures').toSorted())
})

it('the invented marketplace has as many listings as the README of fixtures says', () => {
  const rows = readFileSync(`${root}fixtures/marketplace/listings.jsonl`, 'utf8').trim().split('\n')
  expect(readmeOf('fixtures')).toContain(`the ${rows.length} labelled listings`)
})
