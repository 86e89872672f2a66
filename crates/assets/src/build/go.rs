//! Builds programs from Go modules with pinned dependencies, all programs of one module by one `go build`.

mod memory;
mod patch;
mod toolchain;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use catalog::AssetSpec;
use catalog::recipe::{GoRecipe, Recipe};
use fs_err as fs;

use super::{Build, BuildContext, Job, wrong_kind};
use crate::AssetError;
use crate::process::{self, Program};

/// Builds programs from Go modules.
#[derive(Debug, Clone, Copy, Default)]
pub struct GoBuilder;

/// Typical seconds of a module on two cores with an empty build cache (field notes, section 1).
const TYPICAL_SECONDS: [(&str, u64); 8] = [
    ("kubernetes", 330),
    ("containerd", 60),
    ("etcd", 30),
    ("cni-plugins", 15),
    ("flannel-cni", 5),
    ("flannel", 65),
    ("coredns", 105),
    ("metrics-server", 95),
];

fn recipe(spec: &AssetSpec) -> Result<&GoRecipe, AssetError> {
    match spec.recipe() {
        Recipe::Go(recipe) => Ok(recipe),
        _ => Err(wrong_kind(spec)),
    }
}

#[async_trait]
impl Build for GoBuilder {
    fn group(&self, spec: &AssetSpec) -> String {
        // Programs that are built with the same settings share one call, and so most of the compiling.
        recipe(spec).map_or_else(|_| spec.asset_ref(), |go| format!("go {} {}", go.module.name, group_settings(go)))
    }

    fn title(&self, spec: &AssetSpec) -> String {
        recipe(spec).map_or_else(|_| spec.name().to_owned(), |go| go.module.name.to_owned())
    }

    fn estimate(&self, spec: &AssetSpec) -> Option<u64> {
        let module = recipe(spec).ok()?.module.name;
        let typical = TYPICAL_SECONDS.into_iter().find(|(name, _)| module.starts_with(name));
        Some(typical.map_or(60, |(_, seconds)| seconds))
    }

    fn uses_all_cores(&self) -> bool {
        true
    }

    async fn check(&self, spec: &AssetSpec) -> Result<(), AssetError> {
        let recipe = recipe(spec)?;
        let what = format!("building {}", spec.name());
        toolchain::check_go(&what, &recipe.module.go()).await?;
        if recipe.cgo { toolchain::check_c_compiler(&what).await } else { Ok(()) }
    }

    fn has_sources(&self) -> bool {
        true
    }

    async fn fetch_sources(&self, jobs: &[Job], context: &BuildContext<'_>) -> Result<(), AssetError> {
        let module = write_module(jobs, context).await?;
        context.task.note("looking for sources");
        listed(jobs, &module, "{{.ImportPath}}", context).await.map(drop)
    }

    async fn build(&self, jobs: &[Job], context: &BuildContext<'_>) -> Result<(), AssetError> {
        let module = write_module(jobs, context).await?;
        let programs = context.scratch.join("programs");
        fs::create_dir_all(&programs).map_err(|e| AssetError::io("make a directory", &programs, e))?;
        context.task.note("finding out what is to be compiled");
        // What their sources need is fetched for that, where it is not there yet.
        let all = listed(jobs, &module, "{{if .Stale}}{{.ImportPath}}{{end}}", context).await?;
        let program = go_build(jobs, &module, &programs)?.with_temporary_files_in(context.scratch);
        let mut begun = 0;
        process::run(&program, context.cancel, &mut |line| {
            if is_package(line) {
                context.task.progress(begun, Some(all.max(begun + 1)), format!("compiling {line}"));
                begun += 1;
            }
        })
        .await?;
        for job in jobs {
            let made = programs.join(recipe(&job.spec)?.output());
            fs::rename(&made, &job.out).map_err(|e| AssetError::io(format!("find {}", made.display()), &made, e))?;
        }
        Ok(())
    }
}

/// How many of the packages that the programs are made of `format`, a template of Go's, says something about.
async fn listed(jobs: &[Job], module: &Path, format: &str, context: &BuildContext<'_>) -> Result<u64, AssetError> {
    let verb = ["list", "-deps", "-f", format, "-mod=readonly"];
    let program = go(jobs, module, &verb, Vec::new())?.with_temporary_files_in(context.scratch);
    let mut count = 0;
    process::run(&program, context.cancel, &mut |line| {
        if is_package(line) {
            count += 1;
        } else if let Some(what) = line.strip_prefix("go: downloading ") {
            context.task.note(format!("downloading {what}"));
        }
    })
    .await?;
    Ok(count)
}

/// With `-v`, go names the packages that it compiles; everything else it says is about errors.
fn is_package(line: &str) -> bool {
    !line.is_empty() && !line.starts_with('#') && !line.contains([' ', ':'])
}

/// The module that all jobs are of, in a directory of its own.
async fn write_module(jobs: &[Job], context: &BuildContext<'_>) -> Result<PathBuf, AssetError> {
    let module = context.scratch.join("module");
    let Some(first) = jobs.first() else { return Ok(module) };
    let recipe = recipe(&first.spec)?;
    let failed = |e| AssetError::io(format!("write the module {}", recipe.module.name), &module, e);
    fs::create_dir_all(&module).map_err(failed)?;
    fs::write(module.join("go.mod"), recipe.module.go_mod).map_err(failed)?;
    fs::write(module.join("go.sum"), recipe.module.go_sum).map_err(failed)?;
    if let Some(change) = &recipe.patch {
        patch::copy_and_change(change, &module, context).await?;
    }
    Ok(module)
}

/// What must be equal for two programs to be built by one call.
fn group_settings(recipe: &GoRecipe) -> String {
    format!("{} {} {}", recipe.architecture, recipe.cgo, settings(recipe).join(" "))
}

/// Arguments of `go build` that must be equal for two programs to be built by one call.
fn settings(recipe: &GoRecipe) -> Vec<String> {
    let variables = recipe.variables.iter().map(|(name, value)| format!("-X={name}={value}"));
    let linker: Vec<String> = recipe.linker_flags.iter().cloned().chain(variables).collect();
    recipe.flags.iter().cloned().chain(["-ldflags".to_owned(), linker.join(" ")]).collect()
}

fn go_build(jobs: &[Job], module: &Path, programs: &Path) -> Result<Program, AssetError> {
    // The slash makes go put even a single program into the directory, under its own name.
    let mut directory = programs.as_os_str().to_owned();
    directory.push("/");
    go(jobs, module, &["build", "-v", "-mod=readonly"], vec!["-o".into(), directory])
}

/// A command of go's about the packages of all jobs, with everything that decides what they are compiled to.
fn go(jobs: &[Job], module: &Path, verb: &[&str], options: Vec<OsString>) -> Result<Program, AssetError> {
    let mut arguments: Vec<OsString> = verb.iter().map(OsString::from).collect();
    let mut names = Vec::new();
    let mut environment = Vec::new();
    let mut packages = Vec::new();
    for job in jobs {
        let recipe = recipe(&job.spec)?;
        if packages.is_empty() {
            arguments.extend(settings(recipe).into_iter().map(OsString::from));
            environment = environment_of(recipe);
            environment.extend(memory::variables());
        }
        packages.push(OsString::from(&recipe.package));
        names.push(job.spec.name());
    }
    arguments.extend(options);
    arguments.extend(packages);
    Ok(Program {
        what: format!("building {}", names.join(", ")),
        program: "go".into(),
        arguments,
        directory: Some(PathBuf::from(module)),
        environment,
    })
}

/// The user's own settings (proxies, caches) stay; what changes the content is fixed.
///
/// An empty variable would leave the word to the user's `go env -w`, so all of them have values.
fn environment_of(recipe: &GoRecipe) -> Vec<(String, OsString)> {
    [
        ("CGO_ENABLED", if recipe.cgo { "1" } else { "0" }),
        ("GOOS", "linux"),
        ("GOARCH", &recipe.architecture),
        ("GOAMD64", "v1"),
        ("GOARM64", "v8.0"),
        ("GOTOOLCHAIN", "local"),
        ("GOFLAGS", "-buildvcs=false"),
        ("GOWORK", "off"),
        ("GO111MODULE", "on"),
    ]
    .map(|(name, value)| (name.to_owned(), value.into()))
    .into()
}

#[cfg(test)]
mod tests {
    use catalog::{Selection, assets_for, find};

    use super::*;

    #[test]
    fn programs_of_one_module_are_built_together() {
        let set = assets_for(find("1.36").unwrap(), &Selection::default());
        let group = |name: &str| GoBuilder.group(set.get(name).unwrap());
        assert_eq!(group("kubelet"), group("kube-apiserver"));
        assert_eq!(group("cni-bridge"), group("cni-portmap"));
        assert_ne!(group("cni-bridge"), group("cni-flannel"));
        assert_ne!(group("kubelet"), group("etcd"));
    }

    #[test]
    fn the_command_pins_everything_that_changes_the_content() {
        let set = assets_for(find("1.36").unwrap(), &Selection::default());
        let job = Job { spec: set.get("kubelet").unwrap().clone(), out: "/out".into() };
        let program = go_build(&[job], Path::new("/m"), Path::new("/p")).unwrap();
        let text: Vec<_> = program.arguments.iter().map(|a| a.to_string_lossy()).collect();
        let flags = text.iter().find(|argument| argument.starts_with("-s -w")).unwrap();
        assert!(flags.contains("-X=k8s.io/component-base/version.gitVersion=v1.36.3"), "{flags}");
        assert_eq!(text[text.len() - 3..], ["-o", "/p/", "k8s.io/kubernetes/cmd/kubelet"]);
        assert!(text.contains(&"-mod=readonly".into()) && text.contains(&"-trimpath".into()));
        assert!(program.environment.contains(&("GOTOOLCHAIN".into(), "local".into())));
    }

    #[test]
    fn only_names_of_packages_count_as_progress() {
        assert!(is_package("k8s.io/api/core/v1"));
        assert!(!is_package("# k8s.io/api/core/v1"));
        assert!(!is_package("main.go:3:1: syntax error"));
    }

    #[tokio::test]
    async fn a_failed_build_shows_what_go_said() {
        static MODULE: catalog::recipe::GoModule = catalog::recipe::GoModule {
            name: "broken",
            go_mod: "module example.test/broken\n\ngo 1.25.0\n",
            go_sum: "",
        };
        let set = assets_for(find("1.36").unwrap(), &Selection::default());
        let package = "example.test/broken/missing".to_owned();
        let go = GoRecipe { module: &MODULE, package, ..recipe(set.get("kubelet").unwrap()).unwrap().clone() };
        let spec = AssetSpec::new("broken", Recipe::Go(go));
        if GoBuilder.check(&spec).await.is_err() {
            println!("skipped: no usable go is installed");
            return;
        }
        let scratch = tempfile::TempDir::new().unwrap();
        let cache = crate::AssetCache::open(scratch.path().join("cache"));
        let task = crate::Task::start("broken", None, std::sync::Arc::new(Silent));
        let (work, cancel) = (scratch.path().join("work"), tokio_util::sync::CancellationToken::new());
        let context = BuildContext { inputs: &cache, scratch: &work, task: &task, cancel: &cancel };
        let error = GoBuilder.build(&[Job { spec, out: scratch.path().join("out") }], &context).await.unwrap_err();
        assert!(error.output().iter().any(|line| line.contains("example.test/broken/missing")), "{error:?}");
        assert!(error.to_string().starts_with("building broken failed: `go` exit status: 1"), "{error}");
    }

    struct Silent;

    impl engine::EventSink for Silent {
        fn emit(&self, _event: engine::Event) {}
    }
}
