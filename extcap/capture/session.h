// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "extcap/capture/drop_watch.h"
#include "extcap/capture/roster.h"
#include "extcap/control/control.h"
#include "extcap/selection.h"

namespace podshark::extcap {

struct SessionOptions {
  LinkOptions link;
  RosterOptions roster;
  DropMode drops = DropMode::automatic;
  bool nat = true;                   ///< record address translations, where permitted
  bool start = true;                 ///< start a stopped container that is named
  std::uint64_t count = 0;           ///< stop after so many packets; 0: never
  std::chrono::seconds duration{0};  ///< stop after so long; 0: never
  std::size_t queue_bytes = std::size_t{256}
                            << 20U;  ///< waiting for a slow reader; beyond it the rings fill and drop
  bool extcap = false;               ///< Wireshark is the parent: end with it, watch its pipes
  std::string history_path;          ///< keep a history (the recorder's) and save it beside this name
  bool save_on_exit = true;          ///< … when a captured container stops
  bool save_on_loss = true;          ///< … when packets were lost
  bool save_on_probe = true;         ///< … when a probe failed
  bool save_on_end = true;           ///< … when the capture ends, with packets that are in no file yet
  std::ostream* progress = nullptr;  ///< a line a second, for a terminal
  std::ostream* notices = nullptr;   ///< lines about what happens to the containers
  std::ostream* failures = nullptr;  ///< lines about files that could not be saved
  Control* control = nullptr;        ///< Wireshark's toolbar
};

struct Summary {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;           ///< of packet data
  std::uint64_t dropped = 0;         ///< all that were lost
  std::uint64_t queue_dropped = 0;   ///< of these, while the reader was too slow
  std::uint64_t memory_dropped = 0;  ///< of these, because there was no memory for them
  std::uint64_t link_errors = 0;     ///< counted by the links themselves
  std::uint64_t late = 0;            ///< of several streams: stand behind younger ones
  std::string ended;                 ///< why, when neither the user nor a limit ended it
};

/// "0.25 % of the packets were lost: 10 of 4000, 8 of them because the reader was too slow (what to do)";
/// empty when it is less than a thousandth. Pure.
[[nodiscard]] std::string loss_warning(const Summary& summary);

/// When a history is to be saved because packets were lost: as soon as a thousandth of a second's are, and
/// while that goes on, when all that was saved is older than what is kept, at most once a minute. Pure.
class LossTrigger {
 public:
  /// To be asked once a second; `kept`: how far the history goes back.
  [[nodiscard]] bool due(const Summary& now, std::chrono::seconds kept);

 private:
  Summary last_;
  bool lost_ = false;  // and not saved yet
  std::optional<std::chrono::seconds> since_saved_;
};

/// Blocks SIGUSR1, SIGTERM, SIGINT, SIGHUP for the process (they become events of run()) and ignores SIGPIPE.
/// Call before anything slow, so that no signal is lost. With `extcap`, also dies with its parent.
void prepare_signals(bool extcap);

/// Captures the selected targets until a limit, a signal, the reader's or the parent's end, or the last
/// container's. The recorder's stream is complete when this returns, also with an error; what its reader did
/// not take in time is told.
[[nodiscard]] Result<Summary> run_session(Recorder& recorder, Selection selection,
                                          const SessionOptions& options);

}  // namespace podshark::extcap
