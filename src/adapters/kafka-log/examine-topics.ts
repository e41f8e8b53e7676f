// Holds the topics that are there to what this deployment needs of them: every deviation with its cure, nothing is changed.
import kafkajs, { type Admin } from 'kafkajs'
import type { Logger } from '../../telemetry.ts'
import { BRIEF_RETRY, createKafka, hangUp } from './client.ts'
import type { KafkaConnection } from './connection.ts'
import { shapeOf, type SettingName, type TopicShape, type TopicWish } from './topic-settings.ts'
import { partitionsOf, withAdmin, type PartitionState } from './topics.ts'

export interface TopicSetting {
  readonly setting: string
  readonly found: string
  readonly wanted: string
  /** `wrong`: the gate cannot do its work with it, or loses what it must not; `warning`: it can, at a price. */
  readonly state: 'ok' | 'warning' | 'wrong'
  readonly cure?: string
}

export interface ExaminedTopic {
  readonly topic: string
  readonly settings: readonly TopicSetting[]
}

interface Found {
  readonly partitions: readonly PartitionState[]
  readonly settings: ReadonlyMap<string, string>
}

/**
 * In the order of the wishes. Gives up within seconds.
 * @throws TouchstoneError `log-unavailable`, `log-forbidden`.
 */
export async function examineTopics(
  connection: KafkaConnection,
  wishes: readonly TopicWish[],
  options: { readonly logger: Logger; readonly replication?: number | undefined },
): Promise<ExaminedTopic[]> {
  const kafka = createKafka(connection, options.logger, { retry: BRIEF_RETRY })
  const examined = withAdmin(kafka, async (admin) => {
    const { brokers } = await admin.describeCluster()
    const examined: ExaminedTopic[] = []
    for (const wish of wishes) {
      const found = await look(admin, wish.topic)
      const shape = shapeOf(wish, brokers.length, options.replication)
      const settings = found === undefined ? [MISSING] : compare(found, shape, curesOf(connection, wish.topic))
      examined.push({ topic: wish.topic, settings })
    }
    return examined
  })
  return examined.finally(() => hangUp(kafka))
}

export const MISSING: TopicSetting = {
  setting: 'topic',
  found: 'missing',
  wanted: 'there',
  state: 'wrong',
  cure: 'run `touchstone topics`: it makes what is missing',
}

async function look(admin: Admin, topic: string): Promise<Found | undefined> {
  const partitions = await partitionsOf(admin, topic)
  if (partitions === undefined) return undefined
  const asked = { type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }
  const { resources } = await admin.describeConfigs({ resources: [asked], includeSynonyms: false })
  const entries = resources[0]?.configEntries ?? []
  return { partitions, settings: new Map(entries.map((entry) => [entry.configName, entry.configValue])) }
}

interface Cures {
  readonly set: (name: SettingName, value: string) => string
  readonly more: (partitions: number) => string
  readonly describe: string
}

/** Commands that come with Kafka, ready to be copied. */
function curesOf({ brokers, tls, sasl }: KafkaConnection, topic: string): Cures {
  const secured = tls === undefined && sasl === undefined ? '' : ' --command-config client.properties'
  const to = `--bootstrap-server ${brokers.join(',')}${secured}`
  return {
    set: (name, value) =>
      `kafka-configs.sh ${to} --alter --entity-type topics --entity-name ${topic} --add-config ${name}=${value}`,
    more: (partitions) => `kafka-topics.sh ${to} --alter --topic ${topic} --partitions ${partitions}`,
    describe: `kafka-topics.sh ${to} --describe --topic ${topic}`,
  }
}

function compare({ partitions, settings }: Found, wanted: TopicShape, cures: Cures): TopicSetting[] {
  const copies = Math.min(...partitions.map(({ replicas }) => replicas.length))
  const setting = (
    name: SettingName,
    judge: (found: string, copies: number) => TopicSetting['state'],
  ): TopicSetting => {
    const value = settings.get(name)
    const want = wanted.settings[name]
    if (value === undefined) {
      return { setting: name, found: 'not told', wanted: want, state: 'warning', cure: 'allow DescribeConfigs on it' }
    }
    return said(name, value, want, judge(value, copies), cures.set(name, want))
  }
  return [
    partitionCount(partitions.length, wanted.partitions, cures),
    said(
      'replication',
      String(copies),
      String(wanted.replication),
      copies >= wanted.replication ? 'ok' : 'warning',
      'give it more copies with kafka-reassign-partitions.sh; KAFKA_REPLICATION is for topics that are made',
    ),
    leaders(partitions, cures),
    setting('cleanup.policy', (found) => (found === 'delete' ? 'ok' : 'wrong')),
    setting('retention.ms', (found) => (atLeast(found, wanted.settings['retention.ms']) ? 'ok' : 'warning')),
    setting('retention.bytes', (found) => (found === '-1' ? 'ok' : 'warning')),
    setting('max.message.bytes', (found) =>
      Number(found) >= Number(wanted.settings['max.message.bytes']) ? 'ok' : 'wrong',
    ),
    // More than there are copies, and nothing can be written; all of them, and nothing when one is away.
    setting('min.insync.replicas', (found) => {
      if (Number(found) > copies) return 'wrong'
      return Number(found) < Math.min(copies, Number(wanted.settings['min.insync.replicas'])) ? 'warning' : 'ok'
    }),
    setting('unclean.leader.election.enable', (found) => (found === 'false' ? 'ok' : 'warning')),
    setting('message.timestamp.type', (found) => (found === 'LogAppendTime' ? 'ok' : 'warning')),
  ]
}

function said(
  setting: string,
  found: string,
  wanted: string,
  state: TopicSetting['state'],
  cure: string,
): TopicSetting {
  return state === 'ok' ? { setting, found, wanted, state } : { setting, found, wanted, state, cure }
}

/** Partitions that are added move keys: records of one listing are then on two, and their order ends there. */
function partitionCount(found: number, wanted: number, cures: Cures): TopicSetting {
  const cure =
    found > wanted
      ? `set TOUCHSTONE_PARTITIONS=${found}: a topic keeps its partitions`
      : `set TOUCHSTONE_PARTITIONS=${found}, or, with the producers stopped and everything read: ${cures.more(wanted)}`
  return said('partitions', String(found), String(wanted), found === wanted ? 'ok' : 'warning', cure)
}

function leaders(partitions: readonly PartitionState[], cures: Cures): TopicSetting {
  const without = partitions.filter(({ leader }) => leader < 0).map(({ partitionId }) => partitionId)
  const found = without.length === 0 ? 'all' : `none for ${without.join(', ')}`
  const cure = `start the brokers that hold them: ${cures.describe}`
  return said('leaders', found, 'all', without.length === 0 ? 'ok' : 'wrong', cure)
}

/** -1 is for ever. */
function atLeast(found: string, wanted: string): boolean {
  return Number(found) === -1 || Number(found) >= Number(wanted)
}
