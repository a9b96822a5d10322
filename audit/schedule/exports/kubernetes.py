"""A CronJob for Kubernetes."""

import json

from audit.schedule.exports.clock import Tick

MANIFEST = """\
apiVersion: batch/v1
kind: CronJob
metadata:
  name: clip-audit
  labels:
    app.kubernetes.io/name: clip-audit
spec:
  # What is due, and in which time zone, is in the schedule file.
  schedule: "*/{minutes} * * * *"
  concurrencyPolicy: Forbid
  # Without a deadline, a hundred missed starts stop a CronJob for good.
  startingDeadlineSeconds: 600
  successfulJobsHistoryLimit: 3
  failedJobsHistoryLimit: 3
  jobTemplate:
    spec:
      # Retries are the schedule's own.
      backoffLimit: 0
      activeDeadlineSeconds: {seconds}
      template:
        metadata:
          labels:
            app.kubernetes.io/name: clip-audit
        spec:
          restartPolicy: Never
          # The audit is told first and gets time to stop; the next call goes on from there.
          terminationGracePeriodSeconds: 60
          automountServiceAccountToken: false
          securityContext:
            runAsNonRoot: true
            runAsUser: 10001
            fsGroup: 10001
            seccompProfile:
              type: RuntimeDefault
          containers:
            - name: clip-audit
              image: {image}
              command: {command}
              args: {arguments}
              env:
                - name: CLIP_AUDIT_CACHE
                  value: /var/lib/clip-audit/cache
              securityContext:
                allowPrivilegeEscalation: false
                capabilities:
                  drop: ["ALL"]
              volumeMounts:
                - name: data
                  mountPath: /var/lib/clip-audit
                - name: schedules
                  mountPath: /etc/clip-audit
                  readOnly: true
          volumes:
            # One claim that outlives the pods: store, audits and cache.
            - name: data
              persistentVolumeClaim:
                claimName: clip-audit
            # schedules.toml and the plans: kubectl create configmap clip-audit --from-file=FOLDER
            - name: schedules
              configMap:
                name: clip-audit
"""

FILE = "/etc/clip-audit/schedules.toml"
STORE = "/var/lib/clip-audit/store"


def kubernetes_files(tick: Tick) -> dict[str, str]:
    """Return a CronJob whose store is a volume and whose schedule file is a ConfigMap."""
    arguments = ["schedule", "run-due", "--schedules", FILE, "--store", STORE]
    text = MANIFEST.format(
        minutes=tick.minutes,
        seconds=int(tick.limit.total_seconds()),
        image=json.dumps(tick.image),
        command=json.dumps(["clip-audit"]),
        arguments=json.dumps(arguments),
    )
    return {"clip-audit-cronjob.yaml": text}
