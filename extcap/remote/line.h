// SPDX-License-Identifier: GPL-2.0-or-later
// How a shell script is run somewhere else: by ssh(1), by kubectl exec. Pure.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "podman/core/result.h"

namespace podshark::extcap::remote {

/// A program of this machine that runs a script over there with our pipes as its stdin, stdout and stderr.
struct Line {
  std::string name;                           ///< of the place, for people
  std::vector<std::string> argv;              ///< the program; the script is among its words
  std::vector<std::string> environment = {};  ///< as for spawn()
  std::string input = {};                     ///< what its stdin begins with; at most 60,000 bytes
  std::string install = {};                   ///< what to do where the program is missing
  /// The script has not begun: why, from the program's exit code and its last words on stderr.
  std::function<Error(int code, const std::string& said)> refused;
  /// It had begun, and this exit code is the program's own: the connection was lost. -1: none is.
  int lost_code = -1;
  /// For programs that do not tell of a cut line by themselves: the line on stderr by which the script
  /// answers beats, which nobody else sees, and after how long without a byte of it the line is lost. Holds
  /// only for scripts that have answered once, or of which answers are expected (Channel). 0: never.
  std::string answer = {};
  std::chrono::milliseconds silence{0};
};

/// The script's first line of output that is ours; what comes before is from login scripts.
inline constexpr const char* kMarker = "podshark-begins";

/// For sh(1): one word, whatever is in it.
[[nodiscard]] std::string shell_word(const std::string& text);
/// A command for sh(1) of these words.
[[nodiscard]] std::string shell_words(const std::vector<std::string>& argv);

/// For an argument that any login shell passes on unread, and for binary data.
[[nodiscard]] std::string base64(const std::string& bytes);

/// Each beat is answered by the line kAlive on stderr (capture/method.h).
enum class Answers { no, yes };

/// sh(1): prints the marker, then runs `command` under a lease: one byte every other second on stdin keeps it
/// alive; at the end of file all that it started in this process group gets SIGTERM, without a beat for six
/// seconds SIGHUP. Its stdin is empty.
[[nodiscard]] std::string leased_group(const std::string& command, Answers answers);
/// The same for a command that has a lease of its own, which is the end of its stdin (and may be beats there,
/// one line each): for what a signal from here does not reach, as in a container or as another user. `alive`
/// (sh) is asked at every beat: when it says no, that is the end too.
[[nodiscard]] std::string leased_stdin(const std::string& command, Answers answers,
                                       const std::string& alive = "true");

/// sh(1): prints the marker, then runs `command` with the line's own stdin: it has to end with that, and also
/// when nothing has come for a while.
[[nodiscard]] std::string with_stdin(const std::string& command);

}  // namespace podshark::extcap::remote
