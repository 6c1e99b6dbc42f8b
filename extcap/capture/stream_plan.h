// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "extcap/capture/method.h"
#include "podman/core/result.h"

namespace podshark::extcap {

/// Everything that the ways of getting a stream need to know.
struct StreamRequest {
  std::string container;  ///< name of the one to run a tool in, for messages
  std::string container_id;
  Podman podman;
  SidecarSpec sidecar;  ///< an empty image: no sidecar
  StreamSpec spec;
  bool exec = false;          ///< try the container's own tool
  bool install_tool = false;  ///< and install it there when it has none
  bool host = false;          ///< a tool of the host instead of both
  std::string machine;        ///< another machine's name, for messages; empty: this one
  Argv agent;                 ///< there: a leased command that brings podshark-agent and runs it; empty: none
  Argv enter;                 ///< there: what a tool of the host follows to run in the namespace; empty: none
  Argv elevate;               ///< there: what podman follows to be root's; empty: the caller's own
  std::string link_name;      ///< of the link in the file; empty: as in `spec`
};

/// Which command is run next to get a stream of packets, from how the one before has ended.
class StreamWays {
 public:
  virtual ~StreamWays() = default;
  struct Step {
    enum class Kind { stream, command, failed } kind = Kind::failed;
    Argv argv = {};          ///< stream: packets on its stdout, leased; command: to be run to its end
    std::string words = {};  ///< "through podman exec (tcpdump)"
    bool tidies_up = false;  ///< after its lease it still has something to remove: not to be killed
    Error error = {};        ///< failed
    std::string input = {};  ///< what its stdin begins with, before beats
  };
  /// How a step ended, before any packet.
  struct End {
    int exit_code = 0;
    std::string errors;  ///< its stderr
  };

  [[nodiscard]] virtual const StreamSpec& spec() const = 0;
  [[nodiscard]] virtual Step first() = 0;
  [[nodiscard]] virtual Step after(const End& end) = 0;
  /// What a step's end means when nothing else is tried.
  [[nodiscard]] virtual Error error_of(const End& end) const = 0;
  /// Why the places before this one did not do.
  [[nodiscard]] virtual std::optional<Error> before() const = 0;
};

/// With podman: a tool that is missing or refused leads to the other tool, to an installation, to the next
/// method, or to an error that names the ways out. Pure.
class StreamPlan final : public StreamWays {
 public:
  explicit StreamPlan(StreamRequest request) : request_(std::move(request)) {}
  [[nodiscard]] const StreamRequest& request() const { return request_; }

  [[nodiscard]] const StreamSpec& spec() const override { return request_.spec; }
  [[nodiscard]] Step first() override;
  [[nodiscard]] Step after(const End& end) override;
  [[nodiscard]] Error error_of(const End& end) const override;
  [[nodiscard]] std::optional<Error> before() const override { return before_; }

 private:
  enum class Place { host, agent, entered, container, sidecar };
  [[nodiscard]] std::vector<Place> places() const;
  [[nodiscard]] Step stream(Place place, const std::string& tool);
  [[nodiscard]] Step next_command();
  [[nodiscard]] Step next_place(Error error);
  [[nodiscard]] std::optional<Step> another_tool(const std::vector<std::string>& found);
  [[nodiscard]] Error no_tool() const;
  [[nodiscard]] std::string here() const;

  StreamRequest request_;
  Place place_ = Place::container;
  std::string tool_;
  std::vector<std::string> tried_;  // tools at this place
  std::deque<Argv> commands_;       // of an installation, not run yet
  bool installing_ = false;
  bool installed_ = false;
  std::optional<Error> before_;
};

}  // namespace podshark::extcap
