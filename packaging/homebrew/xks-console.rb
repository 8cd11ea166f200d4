# `.ci/release collect` fills in the version and the checksums.
class XksConsole < Formula
  desc "AWS KMS console for external key stores, in a terminal"
  homepage "@REPOSITORY@"
  version "@VERSION@"
  license "Apache-2.0"

  on_macos do
    on_arm do
      url "@DOWNLOADS@/xks-console-@VERSION@-aarch64-apple-darwin.tar.gz"
      sha256 "@SHA256:aarch64-apple-darwin@"
    end
    on_intel do
      url "@DOWNLOADS@/xks-console-@VERSION@-x86_64-apple-darwin.tar.gz"
      sha256 "@SHA256:x86_64-apple-darwin@"
    end
  end

  on_linux do
    on_arm do
      url "@DOWNLOADS@/xks-console-@VERSION@-aarch64-unknown-linux-gnu.tar.gz"
      sha256 "@SHA256:aarch64-unknown-linux-gnu@"
    end
    on_intel do
      url "@DOWNLOADS@/xks-console-@VERSION@-x86_64-unknown-linux-gnu.tar.gz"
      sha256 "@SHA256:x86_64-unknown-linux-gnu@"
    end
  end

  def install
    bin.install "xks-console"
    man1.install Dir["man/man1/*.1"]
    bash_completion.install "completions/xks-console.bash" => "xks-console"
    zsh_completion.install "completions/_xks-console"
    fish_completion.install "completions/xks-console.fish"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/xks-console --version")
    assert_match "Frankfurt HSM", shell_output("#{bin}/xks-console list-stores --ephemeral")
  end
end
