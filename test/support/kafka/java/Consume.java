// Prints what a reader of Kafka's own client sees of a topic, one JSON line per record: independent of everything of ours.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedWriter;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

public final class Consume {
    /** Nothing new for so long although the end is not reached: the topic cannot be read. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** Reads one JSON object: topic, and settings of the client, isolation.level among them. */
    public static void main(String[] args) throws Exception {
        ObjectMapper json = new ObjectMapper();
        JsonNode asked = json.readTree(System.in);
        Properties settings = new Properties();
        asked.get("settings").fields().forEachRemaining(entry -> settings.put(entry.getKey(), entry.getValue().asText()));
        String topic = asked.get("topic").asText();
        try (KafkaConsumer<byte[], byte[]> consumer =
                        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
                BufferedWriter out = new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8))) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                    .map(info -> new TopicPartition(topic, info.partition()))
                    .collect(Collectors.toList());
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            // For who reads committed records only, the end is before the first transaction that is still open.
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            Set<TopicPartition> open = new HashSet<>(partitions);
            long moved = System.nanoTime();
            while (true) {
                // A position passes the marks of transactions too, which are never handed out.
                open.removeIf(partition -> consumer.position(partition) >= ends.get(partition));
                if (open.isEmpty()) break;
                long before = sum(consumer, partitions);
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                    if (record.offset() >= ends.get(new TopicPartition(topic, record.partition()))) continue;
                    out.write(json.writeValueAsString(lineOf(json, record)));
                    out.newLine();
                }
                if (sum(consumer, partitions) != before) moved = System.nanoTime();
                else if (System.nanoTime() - moved > PATIENCE.toNanos())
                    throw new IllegalStateException("no end of " + open + ", ends " + ends);
            }
        }
    }

    private static long sum(KafkaConsumer<byte[], byte[]> consumer, List<TopicPartition> partitions) {
        return partitions.stream().mapToLong(consumer::position).sum();
    }

    private static ObjectNode lineOf(ObjectMapper json, ConsumerRecord<byte[], byte[]> record) {
        ObjectNode line = json.createObjectNode();
        line.put("partition", record.partition());
        line.put("offset", record.offset());
        line.put("timestamp", record.timestamp());
        line.put("key", base64(record.key()));
        line.put("value", base64(record.value()));
        ArrayNode headers = line.putArray("headers");
        for (Header header : record.headers()) headers.addArray().add(header.key()).add(base64(header.value()));
        return line;
    }

    private static String base64(byte[] bytes) {
        return bytes == null ? null : Base64.getEncoder().encodeToString(bytes);
    }
}
