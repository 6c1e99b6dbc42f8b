// SPDX-License-Identifier: GPL-2.0-or-later
// What records say about connections: address translations (`nat`) and the packets of probes (`probe`). Pure;
// one thread. Of several machines, which may have the same addresses, what a packet's own one tells comes
// first; what others tell counts only of connections with ports, which may go from one to the other. Machines
// are numbers, 0 is the one where the file was made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "plugin/address.h"
#include "podman/annotate/codec.h"

namespace podshark::plugin {

/// What a packet says about its ends.
struct Flow {
  Address src;
  Address dst;
  std::uint16_t src_port = 0;
  std::uint16_t dst_port = 0;
  std::uint8_t protocol = 0;  ///< IPPROTO_TCP, _UDP or _SCTP when it has ports, else 0
  bool operator==(const Flow&) const = default;

  [[nodiscard]] Flow reversed() const { return {dst, src, dst_port, src_port, protocol}; }
};

/// One direction of a connection, in words and numbers.
struct Tuple {
  const char* src = nullptr;
  const char* dst = nullptr;
  std::uint16_t src_port = 0;
  std::uint16_t dst_port = 0;
};

/// A translated connection; both tuples as conntrack has them. Strings are valid until FlowRecords::clear().
struct Translation {
  Tuple orig;
  Tuple reply;
  const char* via = nullptr;       ///< the program that forwards; nullptr: the kernel translates
  const char* evidence = nullptr;  ///< why both sides are thought to be one connection
};

/// Whether a packet goes from the end that began the connection, or back to it.
enum class Heading : std::uint8_t { unknown, forth, back };

class FlowRecords {
 public:
  void clear();
  /// Takes a `nat` or `probe` record; others are ignored. May throw std::bad_alloc.
  void learn(std::uint32_t frame, const annotate::Event& event, unsigned machine);
  [[nodiscard]] bool empty() const { return records_.empty(); }

  /// The translation that the packet's connection has in this frame, on either side of it; nullptr for none.
  /// A record counts from its frame to the next one of the same connection, and also before when it is the
  /// first: the kernel tells of a connection after its first packet.
  [[nodiscard]] const Translation* translation(std::uint32_t frame, const Flow& flow,
                                               unsigned machine) const noexcept;
  /// The probe that sent or was answered by the packet; nullptr for none.
  [[nodiscard]] const char* probe(std::uint32_t frame, const Flow& flow, unsigned machine) const noexcept;

  /// Takes a packet, in frame order.
  void visit(std::uint32_t frame, const Flow& flow, unsigned machine);
  /// The nearest packet of the same connection on the other side of its translation, if there is one in the
  /// same direction (one of the nearest in a very long connection); 0 for none.
  [[nodiscard]] std::uint32_t other_leg(std::uint32_t frame, const Flow& flow,
                                        unsigned machine) const noexcept;

  /// By the records of both kinds.
  [[nodiscard]] Heading heading(std::uint32_t frame, const Flow& flow, unsigned machine) const noexcept;

  /// Records that are kept; later ones are forgotten.
  static constexpr std::size_t kMost = 200'000;
  /// Packets that are remembered because the record of their translation may still come.
  static constexpr std::size_t kRecent = 1024;

 private:
  // Frames of one leg and direction, in order; of very many only every second, fourth, … one.
  struct Frames {
    static constexpr std::size_t kMost = 256;
    std::vector<std::uint32_t> kept;
    std::uint32_t step = 1;
    std::uint32_t seen = 0;
    void add(std::uint32_t frame);
    [[nodiscard]] std::uint32_t nearest(std::uint32_t frame) const noexcept;  // 0: there is none
  };
  struct Record {
    std::uint32_t frame = 0;
    std::uint32_t end =
        ~std::uint32_t{0};  // last frame of a probe without ports, which others' pings look like
    std::string orig_src, orig_dst, reply_src, reply_dst, via, evidence;
    std::string probe;
    Flow orig;                  // from the one who began
    Flow reply;                 // of a translation: what comes back, as it arrives
    Translation translation;    // points into the strings above
    Frames outer[2], inner[2];  // by leg (outer: orig's), from the one who began and back
  };
  struct Key {
    Flow flow;
    unsigned machine = 0;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      const AddressHash hash;
      const Flow& f = key.flow;
      const std::size_t ports = std::size_t{f.src_port} << 24U ^ std::size_t{f.dst_port} << 8U ^ f.protocol;
      return hash(f.src) ^ (hash(f.dst) * 3) ^ ((ports + key.machine) * 0x9E3779B97F4A7C15ULL);
    }
  };
  using ByFlow = std::unordered_map<Key, std::vector<Record*>, KeyHash>;  // each in frame order
  static void add_key(ByFlow& map, const Key& key, Record* record);
  static void add_keys(ByFlow& map, const Flow& flow, unsigned machine, Record* record);
  void end_probe(std::uint32_t frame, const Key& key, const std::string& id);
  [[nodiscard]] static Record* newest(const ByFlow& map, std::uint32_t frame, const Key& key);
  [[nodiscard]] Record* find(const ByFlow& map, std::uint32_t frame, const Key& key) const;

  struct Visited {
    std::uint32_t frame = 0;
    Key key;
  };
  static void add_frame(Record& record, std::uint32_t frame, const Flow& flow);

  std::vector<std::unique_ptr<Record>> records_;
  std::vector<Visited> recent_;  // a ring
  std::size_t oldest_ = 0;
  bool several_ = false;  // there are records of other machines
  ByFlow translations_;
  ByFlow probes_;
};

}  // namespace podshark::plugin
