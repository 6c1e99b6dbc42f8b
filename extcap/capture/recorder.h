// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "extcap/capture/output.h"
#include "extcap/capture/sequencer.h"
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
};

/// Turns packets and events into the pcapng stream of docs/FORMAT.md. Packets and events wait in the
/// sequencer until release() says that nothing older can come; everything else goes straight into the buffer
/// that flush() hands to the output. Section header and events interface are there from construction on.
class Recorder {
 public:
  explicit Recorder(Output output);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  [[nodiscard]] Output& output() { return output_; }

  /// New IDB; the number packets of that link carry.
  [[nodiscard]] std::uint32_t add_interface(const InterfaceRecord& interface);
  void packet(std::uint32_t interface_id, const wire::Packet& packet) {
    (void)wire::put_packet(sequencer_.lane(interface_id), interface_id, packet.time_ns, packet.data,
                           packet.captured, packet.length);
  }
  void event(const annotate::Event& event);
  /// The record (in parts) and, for addresses not yet named so, a name resolution block. `at_once`: before
  /// every packet that is still held, for readers that learn names in the order of records.
  void inventory(const model::Inventory& inventory, bool at_once);
  void statistics(const wire::InterfaceCounters& counters) {
    (void)wire::put_statistics(&buffer_, &counters);
  }

  /// Everything stamped at or before `until_ns` can be written now.
  void release(std::uint64_t until_ns) { sequencer_.release(until_ns, &buffer_); }
  void release_all() { release(~std::uint64_t{0}); }
  [[nodiscard]] bool holding() const { return !sequencer_.empty(); }
  [[nodiscard]] Status flush() { return output_.write(&buffer_); }

 private:
  static constexpr std::size_t kBatch = std::size_t{512} * 1024;
  void put_event(wire::Bytes* where, std::int64_t time_ns, const std::string& info, const std::string& json);
  void names(const model::Inventory& inventory);

  Output output_;
  wire::Bytes buffer_;
  Sequencer sequencer_;
  std::uint32_t interfaces_ = 0;
  std::map<std::string, std::string> named_;  // packed address → names already written
};

}  // namespace podshark::extcap
