// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "extcap/annotate/block_writer.h"
#include "extcap/annotate/blocks.h"
#include "extcap/name_blocks.h"
#include "extcap/naming.h"
#include "podman/model/inventory.h"
#include "podman/wire/pcapng.h"

namespace podshark::extcap {

struct AnnotateCounts {
  std::uint64_t packets = 0;
  std::uint64_t left_out = 0;  ///< blocks and records that were not copied
};

/// Writes the blocks of a foreign capture as the file of docs/FORMAT.md: one section, the events interface,
/// one inventory, then what the capture has. Pure but for the buffer.
class Annotator {
 public:
  /// `inside`: the container in whose namespace the capture was taken, or nullptr. `redact`: leave out what
  /// might tell of the host, in records that the capture has already too; `inventory` comes as it shall be.
  Annotator(const model::Inventory& inventory, const Target* inside, bool redact);
  ~Annotator();
  Annotator(const Annotator&) = delete;
  Annotator& operator=(const Annotator&) = delete;

  void take(const Block& block);
  /// After the last one: what still waits, and the inventory of a capture without packets.
  void finish();

  /// Whole blocks, to be written and emptied now and then.
  [[nodiscard]] wire::Bytes* out() { return &out_; }
  [[nodiscard]] const AnnotateCounts& counts() const { return counts_; }

 private:
  struct Mapped {
    std::uint32_t id = 0;
    TickClock clock;
    bool events = false;  // a Podshark capture's own: its records go to ours
  };

  void put(const EndOfFile& /*unused*/) {}
  void put(const SectionBlock& b);
  void put(const InterfaceBlock& b);
  void put(const PacketBlock& b);
  void put(const NamesBlock& b);
  void put(const StatisticsBlock& b);
  void put(const SecretsBlock& b);
  void put(const JournalBlock& b);
  void put(const CustomBlock& b);
  void put(const OtherBlock& b);

  void put_event(std::uint64_t time_ns, const std::string& info, const std::string& json);
  void put_redacted(const PacketBlock& b, std::uint64_t time_ns);
  void put_options(BlockWriter& w, Options from, std::initializer_list<std::uint16_t> except = {});
  void put_packet(const PacketBlock& b, std::uint32_t id, std::uint64_t ticks);
  void put_inventory(std::int64_t time_ns);
  void release();
  [[nodiscard]] wire::Bytes* place();

  model::Inventory inventory_;
  const Target* inside_;
  bool redact_;
  wire::Bytes out_;
  wire::Bytes early_;  // what came before the first packet, whose time the inventory waits for
  bool begun_ = false;
  bool holding_ = true;
  bool told_ = false;  // the inventory has been written
  std::vector<Mapped> section_;
  std::uint32_t interfaces_ = 1;
  NameBlocks names_;
  AnnotateCounts counts_;
};

}  // namespace podshark::extcap
