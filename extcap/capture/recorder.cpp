// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/recorder.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <numeric>
#include <utility>
#include <vector>

#include "extcap/interface_text.h"
#include "podman/core/clock.h"
#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

wire::Text text(const std::string& s) {
  return {s.data(), s.size()};
}

// What the stream can not do without: blocks that others refer to.
void need(bool had_memory) {
  if (!had_memory) throw std::bad_alloc();
}

void append(wire::Bytes* to, const wire::Bytes& from) {
  need(wire::reserve(to, from.size));
  std::memcpy(to->data + to->size, from.data, from.size);
  to->size += from.size;
}

// Gets its name when it is whole: who waits for the file never reads half of one.
std::string unfinished_name(const std::string& path) {
  return path + ".part";
}

}  // namespace

Recorder::Recorder(Output output) : output_(std::make_unique<Output>(std::move(output))) {
  begin();
}

Recorder::Recorder(FileSet files, Output first)
    : output_(std::make_unique<Output>(std::move(first))),
      files_(std::make_unique<FileSet>(std::move(files))) {
  begin();
}

Recorder::Recorder(std::unique_ptr<History> history) : history_(std::move(history)) {
  begin();
}

void Recorder::begin() {
  need(wire::reserve(&buffer_, 2 * kBatch));
  utsname os{};
  (void)::uname(&os);
  const std::string system = std::string(os.sysname) + " " + os.release;
  const std::string application = std::string("podshark ") + PODSHARK_VERSION;
  need(wire::put_section_header(&prologue_, text(system), text(application)));
  const std::string name(annotate::kEventsInterface);
  wire::InterfaceInfo info{};
  info.linktype = wire::kLinktypeUpperPdu;
  info.snaplen = wire::kMaxBlock;
  info.name = text(name);
  need(wire::put_interface(&prologue_, &info));
  interfaces_ = 1;
  lost_.resize(1);
  file_began_ns_ = elapsed_ns();
  if (!history_) append(&buffer_, prologue_);
}

Recorder::~Recorder() {
  wire::free_bytes(&buffer_);
  wire::free_bytes(&prologue_);
}

Status Recorder::flush() {
  if (output_) {
    const Status status = output_->write(&buffer_);
    if (file_began_bytes_ == 0) file_began_bytes_ = output_->written();
    return status;
  }
  if (!history_->take(&buffer_, elapsed_ns())) lose_buffer();
  return ok();
}

void Recorder::lose_buffer() {
  const auto word = [this](std::size_t at) {
    std::uint32_t out = 0;
    std::memcpy(&out, buffer_.data + at, sizeof(out));
    return out;
  };
  // Type, total length, and of a packet its interface.
  for (std::size_t at = 0; at + 12 <= buffer_.size; at += word(at + 4))
    if (word(at) == wire::kEnhancedPacket) lose(word(at + 8));
  buffer_.size = 0;
}

std::uint64_t Recorder::lost_packets() const {
  return std::accumulate(lost_.begin() + 1, lost_.end(), std::uint64_t{0});
}

Status Recorder::rotate(const model::Inventory& inventory, std::uint64_t packets,
                        const std::function<void()>& repeat) {
  if (!files_) return ok();
  const std::chrono::seconds age((elapsed_ns() - file_began_ns_) / 1'000'000'000);
  const std::uint64_t bytes = output_->written() - file_began_bytes_;
  if (!files_->due(bytes, packets - file_began_packets_, age)) return ok();
  if (Status s = flush(); !s) return s;
  const std::int64_t now = now_ns();
  Result<Output> next = files_->next(now);
  if (!next) return next.error();
  output_ = std::make_unique<Output>(std::move(*next));
  file_began_ns_ = elapsed_ns();
  file_began_packets_ = packets;
  file_began_bytes_ = 0;
  append(&buffer_, prologue_);
  names_.clear();
  model::Inventory repeated = inventory;
  repeated.time_ns = now;
  this->inventory(repeated, /* at_once= */ true);
  repeat_in_file(repeat);
  return flush();
}

// A file in whose first part there are thousands of connections that nobody closes would be about nothing
// else.
void Recorder::repeat_in_file(const std::function<void()>& repeat) {
  if (const std::uint64_t size = files_->rule().bytes; size != 0) repeats_until_ = buffer_.size + size / 4;
  repeat();
  repeats_until_ = SIZE_MAX;
  if (not_repeated_ == 0) return;
  annotate::Event event;
  event.kind = "nat";
  event.what = "skipped";
  event.time_ns = now_ns();
  event.count = std::exchange(not_repeated_, 0);
  event.detail = "skipped: " + std::to_string(event.count) +
                 " translated connections that go on have no room at the beginning of this file";
  event_at_once(event);
}

Status Recorder::try_place(const std::string& path) {
  const std::string name = unfinished_name(stamped_name(path, now_ns(), "signal"));
  const Result<Output> file = Output::open(name);
  if (!file) return file.error();
  (void)::unlink(name.c_str());
  return ok();
}

Status Recorder::save_history(const std::string& path, const model::Inventory& inventory) {
  if (Status s = flush(); !s) return s;
  const std::string unfinished = unfinished_name(path);
  Result<Output> file = Output::open(unfinished);
  if (!file) return file.error();
  wire::Bytes head;
  append(&head, prologue_);
  // It comes first, and so it is told as of the oldest packet: readers show times since the first record.
  model::Inventory first = inventory;
  first.time_ns = std::min(first.time_ns, history_->oldest_ns().value_or(first.time_ns));
  for (const std::string& part : annotate::encode_inventory_parts(first))
    put_event(&head, first.time_ns, "inventory: what ran when this was saved", part);
  Status status = file->write(&head);
  wire::free_bytes(&head);
  if (status) status = history_->save(*file);
  // Also after a failure: what was written is valid up to its last block.
  if (::rename(unfinished.c_str(), path.c_str()) != 0 && status) {
    return os_error(errno, "cannot rename " + in_quotes(unfinished), "the packets are in that file",
                    ErrorKind::output);
  }
  return status;
}

std::chrono::seconds Recorder::kept() const {
  return history_->cut_short(elapsed_ns()).value_or(history_->length());
}

std::string Recorder::saved_line(const std::string& path) const {
  const std::optional<std::chrono::seconds> kept = history_->cut_short(elapsed_ns());
  if (!kept) return "saved to " + path;
  const std::string amount = kept->count() == 0 ? "less than 1" : "the last " + std::to_string(kept->count());
  return "saved to " + path + ": only " + amount + " of " + std::to_string(history_->length().count()) +
         " seconds (a larger --last-size keeps more)";
}

std::uint32_t Recorder::add_interface(const InterfaceRecord& i) {
  const Target& t = i.target;
  const std::string name = t.value + "/" + one_line(i.name, 48);
  const std::string about = interface_description(t, /* with_point= */ !i.drops);
  const std::string meta =
      annotate::encode_interface({t.container.id, t.container.name, t.pod, i.drops ? "drops" : i.link.name,
                                  i.drops ? "" : to_string(t.point), i.link.mac, i.link.addresses, i.netns});
  wire::InterfaceInfo info{};
  info.linktype = i.linktype;
  info.snaplen = i.snaplen;
  info.name = text(name);
  info.description = text(about);
  info.filter = text(i.filter);
  info.metadata = text(meta);
  info.enterprise = annotate::kEnterpriseNumber;
  return add_interface(info);
}

std::uint32_t Recorder::add_interface(const wire::InterfaceInfo& info) {
  need(wire::put_interface(&prologue_, &info));
  if (!history_) need(wire::put_interface(&buffer_, &info));
  lost_.resize(std::size_t{interfaces_} + 1);
  return interfaces_++;
}

void Recorder::put_event(wire::Bytes* where, std::int64_t time_ns, const std::string& info,
                         const std::string& json_text) {
  const std::string pdu = annotate::upper_pdu(info, json_text);
  // It would be cut, which of JSON leaves nothing that can be read.
  if (pdu.size() > wire::kMaxBlock - wire::kPacketFrame) return lose(0);
  if (!wire::put_packet(where, 0, static_cast<std::uint64_t>(time_ns),
                        reinterpret_cast<const std::uint8_t*>(pdu.data()),
                        static_cast<std::uint32_t>(pdu.size()), static_cast<std::uint32_t>(pdu.size())))
    lose(0);
}

void Recorder::copy(std::uint32_t interface_id, std::uint64_t time_ns, std::span<const std::uint8_t> block) {
  wire::Bytes* lane = sequencer_.lane(interface_id, time_ns);
  if (!wire::reserve(lane, block.size())) return lose(interface_id);
  std::uint8_t* to = lane->data + lane->size;
  std::memcpy(to, block.data(), block.size());
  const std::array<std::uint32_t, 3> head{interface_id, static_cast<std::uint32_t>(time_ns >> 32U),
                                          static_cast<std::uint32_t>(time_ns)};
  std::memcpy(to + 8, head.data(), sizeof(head));  // behind type and length
  lane->size += block.size();
}

void Recorder::dropped(std::uint32_t interface_id, const wire::Packet& p, const std::string& comment,
                       const std::string& json) {
  if (!wire::put_annotated_packet(sequencer_.lane(interface_id, p.time_ns), interface_id, p.time_ns, p.data,
                                  p.captured, p.length, text(comment), text(json),
                                  annotate::kEnterpriseNumber))
    lose(interface_id);
}

bool Recorder::crowded() const {
  return most_waiting_ != SIZE_MAX && output_ && output_->backlog() + held_bytes() >= most_waiting_;
}

void Recorder::event(const annotate::Event& event) {
  if (crowded()) {
    lose(0);
  } else {
    put_event(sequencer_.lane(0, static_cast<std::uint64_t>(event.time_ns)), event.time_ns,
              event.kind + ": " + event.detail, annotate::encode_event(event));
  }
  if (listener_) listener_(event);
}

void Recorder::event(const annotate::MovedEvent& moved) {
  const annotate::Event& event = moved.event;
  put_event(sequencer_.lane(0, static_cast<std::uint64_t>(event.time_ns)), event.time_ns,
            event.kind + ": " + event.detail, moved.json);
  if (listener_) listener_(event);
}

void Recorder::event_at_once(const annotate::Event& event) {
  if (buffer_.size >= repeats_until_) {
    ++not_repeated_;
    return;
  }
  put_event(&buffer_, event.time_ns, event.kind + ": " + event.detail, annotate::encode_event(event));
}

void Recorder::inventory(const model::Inventory& inventory, bool at_once) {
  if (crowded()) return lose(0);
  const std::vector<std::string> parts = annotate::encode_inventory_parts(inventory);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto part = static_cast<unsigned>(i + 1);
    put_event(at_once ? &buffer_ : sequencer_.lane(0, static_cast<std::uint64_t>(inventory.time_ns)),
              inventory.time_ns,
              annotate::inventory_info(inventory, part, static_cast<unsigned>(parts.size())), parts[i]);
  }
  names_.put(inventory, standing());
}

}  // namespace podshark::extcap
