// SPDX-License-Identifier: GPL-2.0-or-later
// What podshark is asked about the selected packet: which end serves, which end wants it, and how both are
// called on its command line. Pure. Names come from captures and are hostile.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "plugin/commands.h"
#include "plugin/index.h"
#include "podman/core/result.h"

namespace podshark::plugin {

/// What tells the two ends of a packet apart.
struct Signs {
  bool syn = false;  ///< TCP flags
  bool ack = false;
  bool icmp = false;           ///< ICMP or ICMPv6
  std::uint8_t icmp_type = 0;  ///< of the protocol that the addresses tell
  Serving serving = {};        ///< whose port is published
  Heading heading = Heading::unknown;
};

/// The packet whose details are shown. Strings are valid until the file is closed.
struct SelectedPacket {
  std::uint32_t frame = 0;
  Flow flow;
  Signs signs;
  Facts facts;
  bool src_sole = false;  ///< no other container has this name
  bool dst_sole = false;
  bool quoted = false;          ///< flow and facts are of the packet that an ICMP error quotes
  bool record = false;          ///< an event record; flow and facts are of the connection it tells of
  std::uint32_t other_leg = 0;  ///< frame of the connection on the other side of its translation
};

enum class Side : std::uint8_t { src, dst };

struct Server {
  Side side = Side::dst;
  const char* why = "";
};
/// The end that is asked for. What comes first, counts: a SYN goes to it, a SYN-ACK comes from it; an echo
/// request and its reply likewise; a `nat` or `probe` record tells who began; its port, and not the other's,
/// is published; the lower port; the destination.
[[nodiscard]] Server server_of(const Flow& flow, const Signs& signs);

/// Words for a command line. Neither looks like an option: each is a plain name, hex digits or an address.
struct Question {
  std::string from;    ///< empty: the client is no container
  std::string target;  ///< "db:5432/tcp", "[fd00::3]:53/udp", "web/icmp"
  std::string host =
      {};  ///< machine that the packet was captured on; hostile; empty: where the file was made
};
/// An error says which packet to choose instead.
[[nodiscard]] Result<Question> question(const SelectedPacket& packet);

/// A container that calls its own published port at an address others use too: mostly that is podman's port
/// forwarder, which runs in the container's namespace for somebody outside.
[[nodiscard]] bool maybe_forwarder(const SelectedPacket& packet);

/// How a container is called there: its name when it is plain and nobody else's, else its id. Empty when
/// neither is safe.
[[nodiscard]] std::string word_for(const Who& who, bool sole);

[[nodiscard]] Argv check_command(const std::string& program, const Question& question);
[[nodiscard]] Argv probe_command(const std::string& program, const Question& question);
/// Of a question about another machine, which is not asked from here: containers of this one may have the
/// same names and addresses. Says so, and which `verb` of podshark to type; where the host's name is not
/// plain it leaves that to the user.
[[nodiscard]] std::string ask_there(const char* verb, const Question& question);

/// Both directions of the connection, and its other leg when it is translated. Nothing without IP addresses.
[[nodiscard]] std::optional<Action> flow_action(const SelectedPacket& packet);

/// The connection on both sides of its translation. An error says why not.
[[nodiscard]] Result<Action> both_legs_action(const SelectedPacket& packet);
/// The packet's counterpart on the other side. An error says what to do.
[[nodiscard]] Result<Action> other_leg_action(const SelectedPacket& packet);

/// "10.89.0.2:80", "[fd00::2]:80"; without the port when it is 0.
[[nodiscard]] std::string endpoint(const Address& address, std::uint16_t port);
/// "tcp", "udp", "sctp", "icmp"; empty for others.
[[nodiscard]] std::string protocol_word(const SelectedPacket& packet);

}  // namespace podshark::plugin
