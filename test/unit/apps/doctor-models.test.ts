// What doctor says of the models. Real: all of it; made up: what was found of them.
import { expect, it } from 'vitest'
import { examineModels } from '../../../src/apps/commands/doctor/models.ts'
import type { ActiveModel, ModelName } from '../../../src/domain/model.ts'

const promoted = (name: ModelName, version: string, seed: number) =>
  ({ name, version, sha256: '', card: { trained: { seed } } }) as unknown as ActiveModel
const pair = [promoted('fusion', 'v1', 7), promoted('text', 'v2', 7)]

it('is wrong where a promoted version cannot be loaded, with why and how to make it again', () => {
  const found = examineModels(pair, new Map([['text', 'its bytes are damaged']]))
  expect(found.state).toBe('wrong')
  expect(found.detail).toMatch(/^text@v2 is promoted and cannot decide: its bytes are damaged; .*what ships/)
  expect(found.cure).toMatch(/^`touchstone train --seed 7` writes/)
})

it('is well where all can, and where nothing is promoted', () => {
  expect(examineModels(pair, new Map())).toEqual({
    name: 'models',
    state: 'ok',
    detail: 'fusion@v1 and text@v2 can be loaded',
  })
  expect(examineModels([], new Map())).toMatchObject({ state: 'ok', detail: 'none is promoted: what ships decides' })
})
