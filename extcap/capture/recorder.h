// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "extcap/capture/file_set.h"
#include "extcap/capture/history.h"
#include "extcap/capture/output.h"
#include "extcap/capture/sequencer.h"
#include "extcap/name_blocks.h"
#include "extcap/naming.h"
#include "podman/annotate/codec.h"
#include "podman/model/link.h"
#include "podman/wire/ring.h"

namespace podshark::extcap {

struct InterfaceRecord {
  const Target& target;
  const model::Link& link;
  std::string name;  ///< behind the target's value in `if_name`
  std::uint16_t linktype;
  std::uint32_t snaplen;
  std::string filter;  ///< libpcap syntax
  std::uint64_t netns;
  bool drops = false;  ///< of dropped packets: at no point
};

/// Turns packets and events into the pcapng stream of docs/FORMAT.md. Packets and events wait in the
/// sequencer until release() says that nothing older can come; everything else goes straight into the buffer
/// that flush() hands to the output. Section header and events interface are there from construction on.
class Recorder {
 public:
  explicit Recorder(Output output);
  /// A new file whenever the set's rule says so; each stands alone.
  Recorder(FileSet files, Output first);
  /// The last minutes only, in memory, until save_history().
  explicit Recorder(std::unique_ptr<History> history);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// Where the stream goes; none while a history is kept.
  [[nodiscard]] Output* output() { return output_.get(); }
  /// Whether there can be files beside `path` at all, which else only save_history() would find.
  [[nodiscard]] static Status try_place(const std::string& path);
  /// What is held, as a complete file that appears under its name when it is whole.
  [[nodiscard]] Status save_history(const std::string& path, const model::Inventory& inventory);
  /// How far it goes back: the length that was wanted, or what memory has room for.
  [[nodiscard]] std::chrono::seconds kept() const;
  /// The line that tells of it: where it is, and how much less than wanted memory had room for.
  [[nodiscard]] std::string saved_line(const std::string& path) const;

  /// New IDB; the number packets of that link carry.
  [[nodiscard]] std::uint32_t add_interface(const InterfaceRecord& interface);
  [[nodiscard]] std::uint32_t add_interface(const wire::InterfaceInfo& interface);
  void packet(std::uint32_t interface_id, const wire::Packet& packet) {
    if (!wire::put_packet(sequencer_.lane(interface_id, packet.time_ns), interface_id, packet.time_ns,
                          packet.data, packet.captured, packet.length))
      lose(interface_id);
  }
  /// An enhanced packet block of another stream, as it is but for its interface and its time.
  void copy(std::uint32_t interface_id, std::uint64_t time_ns, std::span<const std::uint8_t> block);
  /// A packet that the kernel has dropped, and what is said about it.
  void dropped(std::uint32_t interface_id, const wire::Packet& packet, const std::string& comment,
               const std::string& json);
  void event(const annotate::Event& event);
  /// The same for a record of another capture: as `json` has it.
  void event(const annotate::MovedEvent& event);
  /// Beyond so many bytes that wait, for the reader or for their place, records and inventories are left out
  /// and count as lost: for as long as a reader stands still. SIZE_MAX: no limit, as in the beginning.
  void limit_records(std::size_t most_waiting) { most_waiting_ = most_waiting; }
  /// Before every packet that is still held, and told nobody: for what a file has to begin with. While
  /// rotate() asks for it, what a quarter of a file has no room for is only counted.
  void event_at_once(const annotate::Event& event);
  /// Is called with each event() from now on; empty: nobody.
  void on_event(std::function<void(const annotate::Event&)> listener) { listener_ = std::move(listener); }
  /// The record (in parts) and, for addresses not yet named so, a name resolution block. `at_once`: before
  /// every packet that is still held, for readers that learn names in the order of records.
  void inventory(const model::Inventory& inventory, bool at_once);
  void statistics(const wire::InterfaceCounters& counters) {
    (void)wire::put_statistics(&buffer_, &counters);
  }

  /// Everything stamped at or before `until_ns` can be written now; `now_ns` is the time.
  void release(std::uint64_t until_ns, std::uint64_t now_ns) {
    sequencer_.release(until_ns, now_ns, &buffer_);
  }
  void release_all() { release(~std::uint64_t{0}, ~std::uint64_t{0}); }
  /// How many packets of that interface there was no memory for; of 0: records.
  [[nodiscard]] std::uint64_t lost(std::uint32_t interface_id) const {
    return interface_id < lost_.size() ? lost_[interface_id] : 0;
  }
  /// The same of all interfaces, without records.
  [[nodiscard]] std::uint64_t lost_packets() const;
  [[nodiscard]] bool holding() const { return !sequencer_.empty(); }
  [[nodiscard]] std::size_t held_bytes() const { return sequencer_.bytes(); }
  [[nodiscard]] Status flush();
  /// Goes on in the next file when its rule says so. `inventory` is repeated in it, and what `repeat` tells
  /// event_at_once(). The rule's size is that of what comes behind all that: a file that is full when it
  /// begins would be followed by the next at once.
  [[nodiscard]] Status rotate(const model::Inventory& inventory, std::uint64_t packets,
                              const std::function<void()>& repeat);

 private:
  static constexpr std::size_t kBatch = std::size_t{512} * 1024;
  void put_event(wire::Bytes* where, std::int64_t time_ns, const std::string& info, const std::string& json);

  [[nodiscard]] bool crowded() const;
  void begin();
  void repeat_in_file(const std::function<void()>& repeat);
  void lose(std::uint32_t interface_id) {
    if (interface_id < lost_.size()) ++lost_[interface_id];
  }
  void lose_buffer();
  /// Names go here in a history, whose packets may have been dropped when it is saved.
  [[nodiscard]] wire::Bytes* standing() { return history_ ? &prologue_ : &buffer_; }

  std::unique_ptr<Output> output_;
  std::unique_ptr<FileSet> files_;
  std::unique_ptr<History> history_;
  std::int64_t file_began_ns_ = 0;  // elapsed_ns()
  std::uint64_t file_began_packets_ = 0;
  std::uint64_t file_began_bytes_ = 0;    // with its first flush
  std::size_t repeats_until_ = SIZE_MAX;  // size of buffer_
  std::size_t most_waiting_ = SIZE_MAX;
  std::uint64_t not_repeated_ = 0;
  wire::Bytes prologue_;  // section header and interfaces: what every further file begins with
  wire::Bytes buffer_;
  Sequencer sequencer_;
  std::uint32_t interfaces_ = 0;
  std::vector<std::uint64_t> lost_;  // by interface; has its size before memory is short
  std::function<void(const annotate::Event&)> listener_;
  NameBlocks names_;
};

}  // namespace podshark::extcap
