// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/flow_records.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "podman/core/text.h"

namespace podshark::plugin {
namespace {

constexpr unsigned kAnyOther = ~0U;  // key of what machines other than 0 tell of connections with ports

Flow flow_of(const annotate::Event::Tuple& t, std::uint8_t protocol) {
  return {parse_ip(t.src), parse_ip(t.dst), t.src_port, t.dst_port, protocol};
}

bool whole(const Flow& flow) {
  return flow.src.length != 0 && flow.dst.length != 0;
}

}  // namespace

void FlowRecords::clear() {
  translations_.clear();
  probes_.clear();
  records_.clear();
  recent_.clear();
  oldest_ = 0;
  several_ = false;
}

void FlowRecords::add_key(ByFlow& map, const Key& key, Record* record) {
  auto& records = map[key];
  if (records.empty() || records.back() != record) records.push_back(record);
}

void FlowRecords::add_keys(ByFlow& map, const Flow& flow, unsigned machine, Record* record) {
  if (!whole(flow)) return;
  for (const Flow& way : {flow, flow.reversed()}) {
    add_key(map, {way, machine}, record);
    if (machine != 0 && way.protocol != 0) add_key(map, {way, kAnyOther}, record);
  }
}

void FlowRecords::learn(std::uint32_t frame, const annotate::Event& event, unsigned machine) {
  const bool nat = event.kind == "nat";
  if ((!nat && event.kind != "probe") || records_.size() >= kMost) return;
  const std::uint8_t protocol = model::protocol_number(event.protocol);
  const Flow orig = flow_of(event.orig, protocol);
  if (!whole(orig)) return;
  if (event.kind == "probe" && event.what == "ended" && protocol == 0)
    return end_probe(frame, {orig, machine}, event.id);
  const Flow reply = flow_of(event.reply, protocol);
  // Of one connection there are several records: its begin and its end.
  if (const Record* known = nat ? newest(translations_, frame, {orig, machine}) : nullptr;
      known != nullptr && known->orig == orig && known->reply == reply) {
    return;
  }
  auto record = std::make_unique<Record>();
  record->frame = frame;
  record->orig = orig;
  record->reply = reply;
  if (nat) {
    record->orig_src = one_line(event.orig.src, 45);
    record->orig_dst = one_line(event.orig.dst, 45);
    record->reply_src = one_line(event.reply.src, 45);
    record->reply_dst = one_line(event.reply.dst, 45);
    record->via = one_line(event.via, 45);
    record->evidence = one_line(event.evidence, 300);
    if (!event.via.empty()) record->translation.via = record->via.c_str();
    if (!event.evidence.empty()) record->translation.evidence = record->evidence.c_str();
    record->translation.orig = {record->orig_src.c_str(), record->orig_dst.c_str(), orig.src_port,
                                orig.dst_port};
    record->translation.reply = {record->reply_src.c_str(), record->reply_dst.c_str(), event.reply.src_port,
                                 event.reply.dst_port};
  } else {
    record->probe = one_line(event.id, 80);
  }
  Record* kept = records_.emplace_back(std::move(record)).get();
  ByFlow& map = nat ? translations_ : probes_;
  several_ = several_ || machine != 0;
  add_keys(map, orig, machine, kept);
  add_keys(map, kept->reply, machine, kept);
  if (!nat) return;
  for (std::size_t i = 0; i < recent_.size(); ++i) {
    const Visited& v = recent_[(oldest_ + i) % recent_.size()];
    if (find(map, v.frame, v.key) == kept) add_frame(*kept, v.frame, v.key.flow);
  }
}

void FlowRecords::visit(std::uint32_t frame, const Flow& flow, unsigned machine) {
  if (!whole(flow)) return;
  // Most files tell of none: then not even a hash is computed.
  if (!translations_.empty()) {
    if (Record* record = find(translations_, frame, {flow, machine})) return add_frame(*record, frame, flow);
  }
  if (recent_.size() < kRecent) {
    recent_.push_back({frame, {flow, machine}});
  } else {
    recent_[oldest_] = {frame, {flow, machine}};
    oldest_ = (oldest_ + 1) % kRecent;
  }
}

void FlowRecords::Frames::add(std::uint32_t frame) {
  if (seen++ % step != 0) return;
  kept.push_back(frame);
  if (kept.size() < kMost) return;
  for (std::size_t i = 0; i < kMost / 2; ++i) kept[i] = kept[2 * i];
  kept.resize(kMost / 2);
  step *= 2;
}

std::uint32_t FlowRecords::Frames::nearest(std::uint32_t frame) const noexcept {
  if (kept.empty()) return 0;
  const auto after = std::lower_bound(kept.begin(), kept.end(), frame);
  if (after == kept.begin()) return *after;
  const std::uint32_t before = *std::prev(after);
  return after == kept.end() || frame - before <= *after - frame ? before : *after;
}

void FlowRecords::add_frame(Record& record, std::uint32_t frame, const Flow& flow) {
  const bool outer = flow == record.orig || flow == record.orig.reversed();
  const bool back = flow == record.reply || flow == record.orig.reversed();
  (outer ? record.outer : record.inner)[back ? 1 : 0].add(frame);
}

std::uint32_t FlowRecords::other_leg(std::uint32_t frame, const Flow& flow, unsigned machine) const noexcept {
  const Record* record = find(translations_, frame, {flow, machine});
  if (record == nullptr) return 0;
  const bool outer = flow == record->orig || flow == record->orig.reversed();
  const bool back = flow == record->reply || flow == record->orig.reversed();
  const auto& legs = outer ? record->inner : record->outer;
  const std::uint32_t same = legs[back ? 1 : 0].nearest(frame);
  return same != 0 ? same : legs[back ? 0 : 1].nearest(frame);
}

void FlowRecords::end_probe(std::uint32_t frame, const Key& key, const std::string& id) {
  const auto it = probes_.find(key);
  if (it == probes_.end()) return;
  for (Record* record : it->second) {
    if (record->probe == one_line(id, 80)) record->end = frame;
  }
}

FlowRecords::Record* FlowRecords::newest(const ByFlow& map, std::uint32_t frame, const Key& key) {
  const auto it = map.find(key);
  if (it == map.end()) return nullptr;
  const auto& records = it->second;
  const auto after = std::upper_bound(records.begin(), records.end(), frame,
                                      [](std::uint32_t f, const Record* r) { return f < r->frame; });
  return after == records.begin() ? *after : *std::prev(after);
}

FlowRecords::Record* FlowRecords::find(const ByFlow& map, std::uint32_t frame, const Key& key) const {
  Record* record = newest(map, frame, key);
  if (record != nullptr || !several_ || key.flow.protocol == 0) return record;
  if (key.machine != 0) record = newest(map, frame, {key.flow, 0});
  return record != nullptr ? record : newest(map, frame, {key.flow, kAnyOther});
}

const Translation* FlowRecords::translation(std::uint32_t frame, const Flow& flow,
                                            unsigned machine) const noexcept {
  const Record* record = find(translations_, frame, {flow, machine});
  return record == nullptr ? nullptr : &record->translation;
}

Heading FlowRecords::heading(std::uint32_t frame, const Flow& flow, unsigned machine) const noexcept {
  for (const ByFlow* map : {&translations_, &probes_}) {
    const Record* record = find(*map, frame, {flow, machine});
    if (record == nullptr) continue;
    return flow == record->orig || flow.reversed() == record->reply ? Heading::forth : Heading::back;
  }
  return Heading::unknown;
}

const char* FlowRecords::probe(std::uint32_t frame, const Flow& flow, unsigned machine) const noexcept {
  const Record* record = find(probes_, frame, {flow, machine});
  return record == nullptr || frame > record->end ? nullptr : record->probe.c_str();
}

}  // namespace podshark::plugin
