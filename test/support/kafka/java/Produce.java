// Writes records as Kafka's own client does, also compressed and in transactions, and prints where each of them went.

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public final class Produce {
    /** Reads JSON lines: first topic and settings of the client, then records, or the words begin, flush, commit, abort. */
    public static void main(String[] args) throws Exception {
        // A record may be of any size; the parser's own limit is 20 million characters.
        StreamReadConstraints any = StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build();
        ObjectMapper json = new ObjectMapper(JsonFactory.builder().streamReadConstraints(any).build());
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        JsonNode asked = json.readTree(in.readLine());
        Properties settings = new Properties();
        asked.get("settings").fields().forEachRemaining(entry -> settings.put(entry.getKey(), entry.getValue().asText()));
        String topic = asked.get("topic").asText();
        KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
        if (settings.containsKey("transactional.id")) producer.initTransactions();

        List<Future<RecordMetadata>> sent = new ArrayList<>();
        boolean open = false;
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode step = json.readTree(line);
            switch (step.isTextual() ? step.asText() : "record") {
                case "begin" -> {
                    producer.beginTransaction();
                    open = true;
                }
                case "flush" -> producer.flush();
                case "commit" -> {
                    producer.commitTransaction();
                    open = false;
                }
                case "abort" -> {
                    // What was not sent yet would be dropped, and this is about records that are in the log.
                    producer.flush();
                    producer.abortTransaction();
                    open = false;
                }
                case "record" -> sent.add(producer.send(recordOf(topic, step)));
                default -> throw new IllegalArgumentException(line);
            }
        }
        producer.flush();
        StringBuilder out = new StringBuilder();
        for (Future<RecordMetadata> one : sent) {
            RecordMetadata place = one.get();
            out.append("{\"partition\":").append(place.partition()).append(",\"offset\":").append(place.offset()).append("}\n");
        }
        System.out.print(out);
        System.out.flush();
        // A transaction that was not ended is left open, as by a producer that was killed: closing would abort it.
        if (open) Runtime.getRuntime().halt(0);
        producer.close();
    }

    private static ProducerRecord<byte[], byte[]> recordOf(String topic, JsonNode step) {
        Integer partition = step.hasNonNull("partition") ? step.get("partition").asInt() : null;
        Long timestamp = step.hasNonNull("timestamp") ? step.get("timestamp").asLong() : null;
        ProducerRecord<byte[], byte[]> record =
                new ProducerRecord<>(topic, partition, timestamp, bytes(step.get("key")), bytes(step.get("value")));
        for (JsonNode header : step.get("headers")) record.headers().add(header.get(0).asText(), bytes(header.get(1)));
        return record;
    }

    private static byte[] bytes(JsonNode base64) {
        return base64.isNull() ? null : Base64.getDecoder().decode(base64.asText());
    }
}
