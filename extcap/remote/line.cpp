// SPDX-License-Identifier: GPL-2.0-or-later
// sshd gives each command a process group of its own and, without a terminal, no signal when the client goes:
// only the end of stdin tells. `kill 0` reaches that group and nobody else.
#include "extcap/remote/line.h"

namespace podshark::extcap::remote {
namespace {

// dd takes what has come. fd 3, because the stdin of a background job is /dev/null.
const std::string kBeats = "while [ -n \"$(timeout 6 dd bs=64 count=1 2>/dev/null <&3)\" ]; do :; done";
const std::string kBegin = std::string("echo; echo ") + kMarker + "; exec 3<&0; ";

}  // namespace

std::string shell_word(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string shell_words(const std::vector<std::string>& argv) {
  std::string out;
  for (const std::string& word : argv) out += (out.empty() ? "" : " ") + shell_word(word);
  return out;
}

// The inner shell must hold neither stdout nor stderr, or ssh waits for it.
std::string leased_group(const std::string& command) {
  return kBegin + "(" + kBeats + "; kill -TERM 0) >/dev/null 2>&1 & " + command + " </dev/null 3<&-";
}

// The pipe's writer ends with the beats, and then the reader does; when the reader is first, the writer is
// told by a signal, which the shells between them survive for the exit code.
std::string leased_stdin(const std::string& command) {
  return kBegin + "trap : TERM; (trap - TERM; " + kBeats + ") 2>/dev/null | (trap : TERM; " + command +
         " 3<&-; code=$?; exec >/dev/null 2>&1; kill -TERM 0; exit $code)";
}

}  // namespace podshark::extcap::remote
