// Which models a listing that is tried again was decided by. Real: settling and deadlines; made up: assessments.
import { expect, it } from 'vitest'
import { settleDeadlines } from '../../../src/pipeline/deadlines.ts'
import type { Assessment } from '../../../src/pipeline/assess.ts'
import { assessment } from './assessments.ts'
import { again, degraded, LATER, screened, topics } from './tried-again.ts'

it('names the models that decided now, and no part of those before; a passed deadline decides by what stood', () => {
  const carried: Assessment = { ...degraded('hold'), models: { fusion: 'v2' }, modelParts: { fusion: '1' } }
  const { standing, decision } = screened(carried)
  expect(decision).toMatchObject({ models: { fusion: 'v2' }, modelParts: { fusion: '1' } })
  const [now] = again(assessment('block'), standing, [decision]).decided
  expect([now?.models, now?.modelParts]).toEqual([{ fusion: '1' }, undefined])
  const passed = settleDeadlines([{ standing, decision }], LATER, topics).decided
  expect(passed).toMatchObject([{ stage: 'deadline', models: { fusion: 'v2' }, modelParts: { fusion: '1' } }])
})
