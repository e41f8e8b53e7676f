// What `doctor` says of the models: whether what is promoted could be loaded by a process that starts now.
import type { ActiveModel, ModelName } from '../../../domain/model.ts'
import type { Finding } from './finding.ts'

/** `problems`: why those cannot be loaded that cannot. */
export function examineModels(active: readonly ActiveModel[], problems: ReadonlyMap<ModelName, string>): Finding {
  const names = active.map(({ name, version }) => `${name}@${version}`)
  if (problems.size === 0)
    return {
      name: 'models',
      state: 'ok',
      detail: names.length === 0 ? 'none is promoted: what ships decides' : `${names.join(' and ')} can be loaded`,
    }
  const told = active.flatMap(({ name, version }) => {
    const why = problems.get(name)
    return why === undefined ? [] : [`${name}@${version} is promoted and cannot decide: ${why}`]
  })
  const seeds = [...new Set(active.map(({ card }) => `\`touchstone train --seed ${card.trained.seed}\``))].join(', ')
  return {
    name: 'models',
    state: 'wrong',
    detail: `${told.join('; ')}; a process that starts now decides with what ships in their place`,
    cure: `${seeds} writes damaged bytes anew where verdicts and deciding version are the same as then, and makes another version to promote where they are not; or \`touchstone models rollback NAME\``,
  }
}
