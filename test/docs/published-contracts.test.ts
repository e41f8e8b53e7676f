// Real: the published contracts in fixtures/contracts against the code that they are made from.
import { appendFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { EVENTS } from '../../src/events/index.ts'
import { publishedContracts } from '../../scripts/published-contracts.ts'
import { differences } from '../../scripts/publish-schemas.ts'

const published = fileURLToPath(new URL('../../fixtures/contracts/', import.meta.url))

it('are what the code gives', async () => {
  expect(await differences(published)).toEqual([])
})

describe('a difference is noticed', () => {
  let copy = ''
  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'touchstone-contracts-'))
    cpSync(published, copy, { recursive: true })
  })
  afterAll(() => rmSync(copy, { recursive: true }))

  it('in a line, at the end, by a file too many and by one too few', async () => {
    appendFileSync(join(copy, 'asyncapi.yaml'), 'more: true\n')
    writeFileSync(join(copy, 'schemas/touchstone.listing.withdrawn.v1.schema.json'), '{\n  "changed": true\n}\n')
    rmSync(join(copy, 'schemas/touchstone.listing.refused.v1.schema.json'))
    writeFileSync(join(copy, 'schemas/stray.json'), '{}')
    const found = await differences(copy)
    expect(found).toHaveLength(4)
    expect(found).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^asyncapi\.yaml: /),
        expect.stringMatching(/^schemas\/touchstone\.listing\.withdrawn\.v1\.schema\.json: line 2 is .*changed/),
        'schemas/touchstone.listing.refused.v1.schema.json: is missing',
        'schemas/stray.json: nothing in the code gives this file',
      ]),
    )
  })

  it('when there is nothing at all', async () => {
    expect(await differences(join(copy, 'absent'))).toHaveLength((await publishedContracts()).size)
  })
})

const documentSchema = z.object({
  channels: z.record(z.string(), z.object({ address: z.string(), messages: z.record(z.string(), z.unknown()) })),
  components: z.object({ messages: z.record(z.string(), z.unknown()) }),
})

it('the AsyncAPI document carries every event on its topic, and the dead letters', async () => {
  const document = documentSchema.parse(parse((await publishedContracts()).get('asyncapi.yaml') ?? ''))
  expect(Object.keys(document.components.messages).toSorted()).toEqual(
    [...EVENTS.map((e) => e.type), 'deadLetter'].toSorted(),
  )
  for (const event of EVENTS) expect(Object.keys(document.channels[event.topic]?.messages ?? {})).toContain(event.type)
  expect(Object.values(document.channels).map((c) => c.address)).toEqual([
    'touchstone.listings.v1',
    'touchstone.decisions.v1',
    'touchstone.verdicts.v1',
    'touchstone.dead-letters.v1',
  ])
})
