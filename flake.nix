{
  description = "The AWS KMS console for external key stores, in a terminal";

  # Rust 1.95 or later is in the unstable channel.
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "x86_64-darwin"
        "aarch64-darwin"
      ];
      forEachSystem = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
      manifest = (builtins.fromTOML (builtins.readFile ./Cargo.toml)).package;
    in
    {
      packages = forEachSystem (pkgs: {
        default = pkgs.rustPlatform.buildRustPackage {
          pname = manifest.name;
          inherit (manifest) version;
          src = self;
          cargoLock.lockFile = ./Cargo.lock;
          buildType = "release";
          # The tests need a terminal, Git, and minutes. `.ci/run` runs them.
          doCheck = false;
          nativeBuildInputs = [ pkgs.installShellFiles ];
          env = {
            XKS_CONSOLE_COMMIT = self.rev or "";
            SOURCE_DATE_EPOCH = toString self.lastModified;
          };
          postInstall = ''
            $out/bin/xks-console man --dir man
            installManPage man/*.1
            for shell in bash zsh fish; do
              $out/bin/xks-console completions $shell > completions.$shell
            done
            installShellCompletion --cmd xks-console \
              --bash completions.bash --zsh completions.zsh --fish completions.fish
          '';
          meta = {
            inherit (manifest) description homepage;
            license = nixpkgs.lib.licenses.asl20;
            mainProgram = manifest.name;
          };
        };
      });

      devShells = forEachSystem (pkgs: {
        default = pkgs.mkShell {
          packages = with pkgs; [
            cargo
            clippy
            just
            mdbook
            python3
            rustc
            rustfmt
          ];
        };
      });
    };
}
