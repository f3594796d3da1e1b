/* persistentvolume_table.c - the fields of PersistentVolume (core/v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field azure_file_persistent_volume_source_fields[] = {
    {"secretName", FIELD_STRING, 1, .required = true, .doc = "Name of the Secret."},
    {"shareName", FIELD_STRING, 2, .required = true},
    {"readOnly", FIELD_BOOL, 3, .doc = "It cannot be written."},
    {"secretNamespace", FIELD_STRING, 4},
    {0},
};
static const struct schema azure_file_persistent_volume_source_schema = {
    "core.v1.AzureFilePersistentVolumeSource", azure_file_persistent_volume_source_fields};

static const struct field ceph_fs_persistent_volume_source_fields[] = {
    {"monitors", FIELD_LIST, 1, .item = FIELD_STRING, .required = true},
    {"path", FIELD_STRING, 2, .doc = "Path."},
    {"user", FIELD_STRING, 3},
    {"secretFile", FIELD_STRING, 4},
    {"secretRef", FIELD_OBJECT, 5, .of = &secret_reference_schema, .doc = "The Secret."},
    {"readOnly", FIELD_BOOL, 6, .doc = "It cannot be written."},
    {0},
};
static const struct schema ceph_fs_persistent_volume_source_schema = {
    "core.v1.CephFSPersistentVolumeSource", ceph_fs_persistent_volume_source_fields};

static const struct field cinder_persistent_volume_source_fields[] = {
    {"volumeID", FIELD_STRING, 1, .required = true},
    {"fsType", FIELD_STRING, 2, .doc = "File system."},
    {"readOnly", FIELD_BOOL, 3, .doc = "It cannot be written."},
    {"secretRef", FIELD_OBJECT, 4, .of = &secret_reference_schema, .doc = "The Secret."},
    {0},
};
static const struct schema cinder_persistent_volume_source_schema = {
    "core.v1.CinderPersistentVolumeSource", cinder_persistent_volume_source_fields};

static const struct field csi_persistent_volume_source_fields[] = {
    {"driver", FIELD_STRING, 1, .required = true, .doc = "Name of the driver."},
    {"volumeHandle", FIELD_STRING, 2, .required = true},
    {"readOnly", FIELD_BOOL, 3, .doc = "It cannot be written."},
    {"fsType", FIELD_STRING, 4, .doc = "File system."},
    {"volumeAttributes", FIELD_MAP, 5, .item = FIELD_STRING},
    {"controllerPublishSecretRef", FIELD_OBJECT, 6, .of = &secret_reference_schema},
    {"nodeStageSecretRef", FIELD_OBJECT, 7, .of = &secret_reference_schema},
    {"nodePublishSecretRef", FIELD_OBJECT, 8, .of = &secret_reference_schema},
    {"controllerExpandSecretRef", FIELD_OBJECT, 9, .of = &secret_reference_schema},
    {"nodeExpandSecretRef", FIELD_OBJECT, 10, .of = &secret_reference_schema},
    {0},
};
static const struct schema csi_persistent_volume_source_schema = {
    "core.v1.CSIPersistentVolumeSource", csi_persistent_volume_source_fields};

static const struct field flex_persistent_volume_source_fields[] = {
    {"driver", FIELD_STRING, 1, .required = true, .doc = "Name of the driver."},
    {"fsType", FIELD_STRING, 2, .doc = "File system."},
    {"secretRef", FIELD_OBJECT, 3, .of = &secret_reference_schema, .doc = "The Secret."},
    {"readOnly", FIELD_BOOL, 4, .doc = "It cannot be written."},
    {"options", FIELD_MAP, 5, .item = FIELD_STRING},
    {0},
};
static const struct schema flex_persistent_volume_source_schema = {
    "core.v1.FlexPersistentVolumeSource", flex_persistent_volume_source_fields};

static const struct field glusterfs_persistent_volume_source_fields[] = {
    {"endpoints", FIELD_STRING, 1, .required = true},
    {"path", FIELD_STRING, 2, .required = true, .doc = "Path."},
    {"readOnly", FIELD_BOOL, 3, .doc = "It cannot be written."},
    {"endpointsNamespace", FIELD_STRING, 4},
    {0},
};
static const struct schema glusterfs_persistent_volume_source_schema = {
    "core.v1.GlusterfsPersistentVolumeSource", glusterfs_persistent_volume_source_fields};

static const struct field iscsi_persistent_volume_source_fields[] = {
    {"targetPortal", FIELD_STRING, 1, .required = true},
    {"iqn", FIELD_STRING, 2, .required = true},
    {"lun", FIELD_INT, 3},
    {"iscsiInterface", FIELD_STRING, 4},
    {"fsType", FIELD_STRING, 5, .doc = "File system."},
    {"readOnly", FIELD_BOOL, 6, .doc = "It cannot be written."},
    {"portals", FIELD_LIST, 7, .item = FIELD_STRING},
    {"chapAuthDiscovery", FIELD_BOOL, 8},
    {"secretRef", FIELD_OBJECT, 10, .of = &secret_reference_schema, .doc = "The Secret."},
    {"chapAuthSession", FIELD_BOOL, 11},
    {"initiatorName", FIELD_STRING, 12},
    {0},
};
static const struct schema iscsi_persistent_volume_source_schema = {
    "core.v1.ISCSIPersistentVolumeSource", iscsi_persistent_volume_source_fields};

static const struct field local_volume_source_fields[] = {
    {"path", FIELD_STRING, 1, .required = true, .doc = "Path."},
    {"fsType", FIELD_STRING, 2, .doc = "File system."},
    {0},
};
static const struct schema local_volume_source_schema = {
    "core.v1.LocalVolumeSource", local_volume_source_fields};

static const struct field volume_node_affinity_fields[] = {
    {"required", FIELD_OBJECT, 1, .of = &node_selector_schema},
    {0},
};
static const struct schema volume_node_affinity_schema = {
    "core.v1.VolumeNodeAffinity", volume_node_affinity_fields};

static const struct field rbd_persistent_volume_source_fields[] = {
    {"monitors", FIELD_LIST, 1, .item = FIELD_STRING, .required = true},
    {"image", FIELD_STRING, 2, .required = true, .doc = "Image it runs."},
    {"fsType", FIELD_STRING, 3, .doc = "File system."},
    {"pool", FIELD_STRING, 4},
    {"user", FIELD_STRING, 5},
    {"keyring", FIELD_STRING, 6},
    {"secretRef", FIELD_OBJECT, 7, .of = &secret_reference_schema, .doc = "The Secret."},
    {"readOnly", FIELD_BOOL, 8, .doc = "It cannot be written."},
    {0},
};
static const struct schema rbd_persistent_volume_source_schema = {
    "core.v1.RBDPersistentVolumeSource", rbd_persistent_volume_source_fields};

static const struct field scale_io_persistent_volume_source_fields[] = {
    {"gateway", FIELD_STRING, 1, .required = true},
    {"system", FIELD_STRING, 2, .required = true},
    {"secretRef", FIELD_OBJECT, 3, .of = &secret_reference_schema, .required = true,
     .doc = "The Secret."},
    {"sslEnabled", FIELD_BOOL, 4},
    {"protectionDomain", FIELD_STRING, 5},
    {"storagePool", FIELD_STRING, 6},
    {"storageMode", FIELD_STRING, 7},
    {"volumeName", FIELD_STRING, 8, .doc = "Volume that is bound."},
    {"fsType", FIELD_STRING, 9, .doc = "File system."},
    {"readOnly", FIELD_BOOL, 10, .doc = "It cannot be written."},
    {0},
};
static const struct schema scale_io_persistent_volume_source_schema = {
    "core.v1.ScaleIOPersistentVolumeSource", scale_io_persistent_volume_source_fields};

static const struct field storage_os_persistent_volume_source_fields[] = {
    {"volumeName", FIELD_STRING, 1, .doc = "Volume that is bound."},
    {"volumeNamespace", FIELD_STRING, 2},
    {"fsType", FIELD_STRING, 3, .doc = "File system."},
    {"readOnly", FIELD_BOOL, 4, .doc = "It cannot be written."},
    {"secretRef", FIELD_OBJECT, 5, .of = &object_reference_schema, .doc = "The Secret."},
    {0},
};
static const struct schema storage_os_persistent_volume_source_schema = {
    "core.v1.StorageOSPersistentVolumeSource", storage_os_persistent_volume_source_fields};

static const struct field persistent_volume_spec_fields[] = {
    {"capacity", FIELD_MAP, 1, .item = FIELD_QUANTITY, .doc = "How much of each resource."},
    {"accessModes", FIELD_LIST, 3, .item = FIELD_STRING,
     .doc = "ReadWriteOnce, ReadOnlyMany, ReadWriteMany or ReadWriteOncePod."},
    {"claimRef", FIELD_OBJECT, 4, .of = &object_reference_schema, .doc = "Claim it is bound to."},
    {"persistentVolumeReclaimPolicy", FIELD_STRING, 5, .otherwise = "Retain",
     ONE_OF("Delete", "Recycle", "Retain"),
     .doc = "What becomes of a released volume: Retain, Delete or Recycle."},
    {"storageClassName", FIELD_STRING, 6, .doc = "Class of the storage."},
    {"mountOptions", FIELD_LIST, 7, .item = FIELD_STRING, .doc = "Options of the mount."},
    {"volumeMode", FIELD_STRING, 8, .otherwise = "Filesystem", ONE_OF("Block", "Filesystem"),
     .doc = "Filesystem or Block."},
    {"nodeAffinity", FIELD_OBJECT, 9, .of = &volume_node_affinity_schema,
     .doc = "Rules about labels of nodes."},
    {"volumeAttributesClassName", FIELD_STRING, 10, .no_effect = true},
    {"gcePersistentDisk", FIELD_OBJECT, 1, .of = &gce_persistent_disk_volume_source_schema,
     .proto_in = 2, .no_effect = true},
    {"awsElasticBlockStore", FIELD_OBJECT, 2, .of = &aws_elastic_block_store_volume_source_schema,
     .proto_in = 2, .no_effect = true},
    {"hostPath", FIELD_OBJECT, 3, .of = &host_path_volume_source_schema, .proto_in = 2,
     .doc = "A file or directory of the node."},
    {"glusterfs", FIELD_OBJECT, 4, .of = &glusterfs_persistent_volume_source_schema,
     .proto_in = 2, .no_effect = true},
    {"nfs", FIELD_OBJECT, 5, .of = &nfs_volume_source_schema, .proto_in = 2,
     .doc = "A share of an NFS server."},
    {"rbd", FIELD_OBJECT, 6, .of = &rbd_persistent_volume_source_schema, .proto_in = 2,
     .no_effect = true},
    {"iscsi", FIELD_OBJECT, 7, .of = &iscsi_persistent_volume_source_schema, .proto_in = 2},
    {"cinder", FIELD_OBJECT, 8, .of = &cinder_persistent_volume_source_schema, .proto_in = 2,
     .no_effect = true},
    {"cephfs", FIELD_OBJECT, 9, .of = &ceph_fs_persistent_volume_source_schema, .proto_in = 2,
     .no_effect = true},
    {"fc", FIELD_OBJECT, 10, .of = &fc_volume_source_schema, .proto_in = 2},
    {"flocker", FIELD_OBJECT, 11, .of = &flocker_volume_source_schema, .proto_in = 2,
     .no_effect = true},
    {"flexVolume", FIELD_OBJECT, 12, .of = &flex_persistent_volume_source_schema, .proto_in = 2,
     .no_effect = true},
    {"azureFile", FIELD_OBJECT, 13, .of = &azure_file_persistent_volume_source_schema,
     .proto_in = 2, .no_effect = true},
    {"vsphereVolume", FIELD_OBJECT, 14, .of = &vsphere_virtual_disk_volume_source_schema,
     .proto_in = 2, .no_effect = true},
    {"quobyte", FIELD_OBJECT, 15, .of = &quobyte_volume_source_schema, .proto_in = 2,
     .no_effect = true},
    {"azureDisk", FIELD_OBJECT, 16, .of = &azure_disk_volume_source_schema, .proto_in = 2,
     .no_effect = true},
    {"photonPersistentDisk", FIELD_OBJECT, 17, .of = &photon_persistent_disk_volume_source_schema,
     .proto_in = 2, .no_effect = true},
    {"portworxVolume", FIELD_OBJECT, 18, .of = &portworx_volume_source_schema, .proto_in = 2,
     .no_effect = true},
    {"scaleIO", FIELD_OBJECT, 19, .of = &scale_io_persistent_volume_source_schema, .proto_in = 2,
     .no_effect = true},
    {"local", FIELD_OBJECT, 20, .of = &local_volume_source_schema, .proto_in = 2},
    {"storageos", FIELD_OBJECT, 21, .of = &storage_os_persistent_volume_source_schema,
     .proto_in = 2, .no_effect = true},
    {"csi", FIELD_OBJECT, 22, .of = &csi_persistent_volume_source_schema, .proto_in = 2,
     .doc = "A volume of a CSI driver."},
    {0},
};
static const struct schema persistent_volume_spec_schema = {
    "core.v1.PersistentVolumeSpec", persistent_volume_spec_fields};

static const struct field persistent_volume_status_fields[] = {
    {"phase", FIELD_STRING, 1, .doc = "Where it is in its life."},
    {"message", FIELD_STRING, 2, .doc = "A sentence why."},
    {"reason", FIELD_STRING, 3, .doc = "One word why."},
    {"lastPhaseTransitionTime", FIELD_TIME, 4},
    {0},
};
static const struct schema persistent_volume_status_schema = {
    "core.v1.PersistentVolumeStatus", persistent_volume_status_fields};

static const struct field persistent_volume_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, 2, .of = &persistent_volume_spec_schema, .doc = "What is wanted."},
    {"status", FIELD_OBJECT, 3, .of = &persistent_volume_status_schema, .doc = "What is."},
    {0},
};
const struct schema persistent_volume_schema = {
    "core.v1.PersistentVolume", persistent_volume_fields, "A piece of storage."};

/* clang-format on */
