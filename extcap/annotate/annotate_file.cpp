// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/annotate/annotate_file.h"

#include <poll.h>

#include <memory>
#include <optional>
#include <utility>

#include "extcap/annotate/capture_reader.h"
#include "extcap/annotate/input.h"
#include "extcap/capture/output.h"

namespace podshark::extcap {
namespace {

constexpr std::size_t kBatch = std::size_t{512} * 1024;

// Waits for a pipe's reader: there is nothing else to do meanwhile.
Status drain(Output& output, wire::Bytes* bytes, Input& input) {
  if (bytes->size == 0) return ok();
  if (const Status s = output.write(bytes); !s) return s;
  while (output.backlog() > 0 && !output.reader_gone() && input.ready(output.fd(), POLLOUT)) {
    if (const Status s = output.pump(); !s) return s;
  }
  return ok();
}

}  // namespace

Result<Annotated> annotate_file(const AnnotateRequest& request) {
  const Result<std::unique_ptr<Input>> opened = Input::open(request.input);
  if (!opened) return opened.error();
  Input& input = **opened;
  if (input.same_file(request.output))
    return Error{ErrorKind::usage, "input and output are the same file, " + input.name(),
                 "choose another -o"};

  Annotator annotator(request.inventory, request.inside, request.redact);
  std::optional<Output> output;
  Status written = ok();
  CaptureReader reader([&](std::span<std::uint8_t> room) {
    // Whoever reads gets everything before more is waited for.
    if (output && written && (output->pipe() || input.waits()))
      written = drain(*output, annotator.out(), input);
    return input.read(room);
  });
  const auto about = [&](Error error) {
    error.what = input.name() + " " + error.what;
    return error;
  };
  if (const Status s = reader.begin(); !s) return about(s.error());
  Result<Output> out = Output::open(request.output);
  if (!out) return out.error();
  output.emplace(std::move(*out));

  Annotated result;
  while (written && !output->reader_gone()) {
    const Result<Block> block = reader.next();
    if (!block && !input.stopped()) result.ended = about(block.error());
    if (!block || std::holds_alternative<EndOfFile>(*block)) break;
    annotator.take(*block);
    if (annotator.out()->size >= kBatch) written = drain(*output, annotator.out(), input);
  }
  annotator.finish();
  if (written) written = drain(*output, annotator.out(), input);
  if (!written) return written.error();
  result.counts = annotator.counts();
  return result;
}

}  // namespace podshark::extcap
