# Becomes the supervisor of a machine. Working directory: the machine's; arguments: what to become in the end.
# KW_CGROUPS: directories of the machine's cgroups, without blanks.
set -eu

# Who this process is stays true through every exec below.
read -r stat < "/proc/$$/stat"
start_time() { shift 19; echo "$1"; }
# shellcheck disable=SC2086
printf '%s %s\n' "$$" "$(start_time ${stat##*) })" > run/pid.new
mv run/pid.new run/pid

for cgroup in $KW_CGROUPS; do
    echo "$$" > "$cgroup/cgroup.procs"
done
unset KW_CGROUPS
exec "$@"
