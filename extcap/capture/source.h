// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "extcap/capture/empty_reason.h"
#include "extcap/naming.h"
#include "podman/annotate/codec.h"
#include "podman/core/result.h"
#include "podman/model/link.h"
#include "podman/wire/ring.h"

namespace podshark::extcap {

/// What a source tells the session. Called from the event loop's thread only.
struct SourceHooks {
  std::function<bool(std::uint32_t id, const wire::Packet&)> packet;  ///< false: stop reading for now
  std::function<void()> changed;                                      ///< links or container changed
  std::function<bool()> following = {};  ///< false: what appears now is left out (until look_again())
  /// An interface of the file and the link it stands for, before its first packet; and when it is captured no
  /// more.
  std::function<void(std::uint32_t id, const Target&, const model::Link&, std::uint16_t linktype,
                     const std::string& name)>
      opened = {};
  std::function<void(std::uint32_t id)> closed = {};
  /// A packet that is left out because the sender's end has it.
  std::function<void(std::uint32_t id, const wire::Packet&)> copy = {};
};

/// Where packets of one target come from: rings in its network namespace, or the stream of a program. Made
/// reading, on the session's event loop; declares its interfaces with the recorder.
class Source {
 public:
  virtual ~Source() = default;
  [[nodiscard]] virtual const Target& target() const = 0;
  /// Nothing more can come; closed already.
  [[nodiscard]] virtual bool ended() const = 0;
  /// Why it ended, when that was neither the container's end nor ours.
  [[nodiscard]] virtual std::optional<Error> failure() const { return std::nullopt; }
  /// "through podman exec (tcpdump)" while that is still being started, else empty.
  [[nodiscard]] virtual std::string preparing() const { return {}; }
  /// Stops and starts reading, for a slow output.
  virtual void pause(bool paused) = 0;
  /// close() follows soon: told to all sources first, so that their ends take their time together.
  virtual void ending() {}
  /// Links may have appeared while following was paused.
  virtual void look_again() {}
  /// Packets handed over so far, statistics blocks written, descriptors closed. Idempotent.
  virtual void close() = 0;
  /// Totals of all links, also of those that have gone.
  virtual void add_statistics(annotate::Event& event) = 0;
  /// What its links carried since it began, by their own counters; nothing when that is not known.
  virtual void add_traffic(std::vector<LinkTraffic>&) {}
  /// When it began to see packets (CLOCK_REALTIME, ns).
  [[nodiscard]] virtual std::uint64_t since_ns() const = 0;
  /// When the container ended (CLOCK_REALTIME, ns); 0 where only ended() tells.
  [[nodiscard]] virtual std::uint64_t until_ns() const { return 0; }
  /// Every packet stamped at or before this time (CLOCK_REALTIME, ns) has been handed over, given that
  /// `now_ns` was read before the source's last turn.
  [[nodiscard]] virtual std::uint64_t complete_until(std::uint64_t now_ns) const = 0;
};

}  // namespace podshark::extcap
