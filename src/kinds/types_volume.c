/* types_volume.c - volumes of pods and what is in them. */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field aws_elastic_block_store_volume_source_fields[] = {
    {"volumeID", FIELD_STRING, 1, .required = true},
    {"fsType", FIELD_STRING, 2, .doc = "File system."},
    {"partition", FIELD_INT, 3, .doc = "Pods with a lower ordinal stay as they are."},
    {"readOnly", FIELD_BOOL, 4, .doc = "It cannot be written."},
    {0},
};
const struct schema aws_elastic_block_store_volume_source_schema = {
    "core.v1.AWSElasticBlockStoreVolumeSource", aws_elastic_block_store_volume_source_fields};

static const struct field azure_disk_volume_source_fields[] = {
    {"diskName", FIELD_STRING, 1, .required = true},
    {"diskURI", FIELD_STRING, 2, .required = true},
    {"cachingMode", FIELD_STRING, 3, .otherwise = "ReadWrite"},
    {"fsType", FIELD_STRING, 4, .otherwise = "ext4", .doc = "File system."},
    {"readOnly", FIELD_BOOL, 5, .pointer = true, .otherwise = "false",
     .doc = "It cannot be written."},
    {"kind", FIELD_STRING, 6, .otherwise = "Shared", .doc = "Kind of the object."},
    {0},
};
const struct schema azure_disk_volume_source_schema = {
    "core.v1.AzureDiskVolumeSource", azure_disk_volume_source_fields};

static const struct field azure_file_volume_source_fields[] = {
    {"secretName", FIELD_STRING, 1, .required = true, .doc = "Name of the Secret."},
    {"shareName", FIELD_STRING, 2, .required = true},
    {"readOnly", FIELD_BOOL, 3, .doc = "It cannot be written."},
    {0},
};
static const struct schema azure_file_volume_source_schema = {
    "core.v1.AzureFileVolumeSource", azure_file_volume_source_fields};

static const struct field ceph_fs_volume_source_fields[] = {
    {"monitors", FIELD_LIST, 1, .item = FIELD_STRING, .required = true},
    {"path", FIELD_STRING, 2, .doc = "Path."},
    {"user", FIELD_STRING, 3},
    {"secretFile", FIELD_STRING, 4},
    {"secretRef", FIELD_OBJECT, 5, .of = &local_object_reference_schema, .doc = "The Secret."},
    {"readOnly", FIELD_BOOL, 6, .doc = "It cannot be written."},
    {0},
};
static const struct schema ceph_fs_volume_source_schema = {
    "core.v1.CephFSVolumeSource", ceph_fs_volume_source_fields};

static const struct field cinder_volume_source_fields[] = {
    {"volumeID", FIELD_STRING, 1, .required = true},
    {"fsType", FIELD_STRING, 2, .doc = "File system."},
    {"readOnly", FIELD_BOOL, 3, .doc = "It cannot be written."},
    {"secretRef", FIELD_OBJECT, 4, .of = &local_object_reference_schema, .doc = "The Secret."},
    {0},
};
static const struct schema cinder_volume_source_schema = {
    "core.v1.CinderVolumeSource", cinder_volume_source_fields};

static const struct field key_to_path_fields[] = {
    {"key", FIELD_STRING, 1, .required = true, .doc = "Key whose value becomes a file."},
    {"path", FIELD_STRING, 2, .required = true, .doc = "Path of the file, relative."},
    {"mode", FIELD_INT, 3, .pointer = true, RANGE(0, 511), .doc = "Permission bits of this file."},
    {0},
};
static const struct schema key_to_path_schema = {"core.v1.KeyToPath", key_to_path_fields};

static const struct field config_map_volume_source_fields[] = {
    {"items", FIELD_LIST, 2, .of = &key_to_path_schema, .doc = "What is taken of it."},
    {"defaultMode", FIELD_INT, 3, .pointer = true, .otherwise = "420", RANGE(0, 511),
     .doc = "Permission bits of the files."},
    {"optional", FIELD_BOOL, 4, .pointer = true, .doc = "Whether it may be missing."},
    {"name", FIELD_STRING, 1, .proto_in = 1, .doc = "Name."},
    {0},
};
static const struct schema config_map_volume_source_schema = {
    "core.v1.ConfigMapVolumeSource", config_map_volume_source_fields};

static const struct field csi_volume_source_fields[] = {
    {"driver", FIELD_STRING, 1, .required = true, .doc = "Name of the driver."},
    {"readOnly", FIELD_BOOL, 2, .pointer = true, .doc = "It cannot be written."},
    {"fsType", FIELD_STRING, 3, .doc = "File system."},
    {"volumeAttributes", FIELD_MAP, 4, .item = FIELD_STRING},
    {"nodePublishSecretRef", FIELD_OBJECT, 5, .of = &local_object_reference_schema},
    {0},
};
static const struct schema csi_volume_source_schema = {
    "core.v1.CSIVolumeSource", csi_volume_source_fields};

static const struct field object_field_selector_fields[] = {
    {"apiVersion", FIELD_STRING, 1, .otherwise = "v1", .doc = "API version of the object."},
    {"fieldPath", FIELD_STRING, 2},
    {0},
};
const struct schema object_field_selector_schema = {
    "core.v1.ObjectFieldSelector", object_field_selector_fields, .atomic = true};

static const struct field resource_field_selector_fields[] = {
    {"containerName", FIELD_STRING, 1},
    {"resource", FIELD_STRING, 2, .required = true},
    {"divisor", FIELD_QUANTITY, 3},
    {0},
};
const struct schema resource_field_selector_schema = {
    "core.v1.ResourceFieldSelector", resource_field_selector_fields, .atomic = true};

static const struct field downward_api_volume_file_fields[] = {
    {"path", FIELD_STRING, 1, .required = true, .doc = "Path."},
    {"fieldRef", FIELD_OBJECT, 2, .of = &object_field_selector_schema,
     .doc = "A field of the pod."},
    {"resourceFieldRef", FIELD_OBJECT, 3, .of = &resource_field_selector_schema,
     .doc = "A resource of a container."},
    {"mode", FIELD_INT, 4, .pointer = true, RANGE(0, 511), .doc = "Permission bits of this file."},
    {0},
};
static const struct schema downward_api_volume_file_schema = {
    "core.v1.DownwardAPIVolumeFile", downward_api_volume_file_fields};

static const struct field downward_api_volume_source_fields[] = {
    {"items", FIELD_LIST, 1, .of = &downward_api_volume_file_schema,
     .doc = "What is taken of it."},
    {"defaultMode", FIELD_INT, 2, .pointer = true, .otherwise = "420", RANGE(0, 511),
     .doc = "Permission bits of the files."},
    {0},
};
static const struct schema downward_api_volume_source_schema = {
    "core.v1.DownwardAPIVolumeSource", downward_api_volume_source_fields};

static const struct field empty_dir_volume_source_fields[] = {
    {"medium", FIELD_STRING, 1, .doc = "\"\" for disk, Memory for tmpfs."},
    {"sizeLimit", FIELD_QUANTITY, 2, .doc = "The most it may hold."},
    {0},
};
static const struct schema empty_dir_volume_source_schema = {
    "core.v1.EmptyDirVolumeSource", empty_dir_volume_source_fields};

static const struct field persistent_volume_claim_template_fields[] = {
    {"metadata", FIELD_OBJECT, 1, .of = &object_meta_schema},
    {"spec", FIELD_OBJECT, 2, .of = &persistent_volume_claim_spec_schema, .required = true,
     .doc = "What is wanted."},
    {0},
};
static const struct schema persistent_volume_claim_template_schema = {
    "core.v1.PersistentVolumeClaimTemplate", persistent_volume_claim_template_fields};

static const struct field ephemeral_volume_source_fields[] = {
    {"volumeClaimTemplate", FIELD_OBJECT, 1, .of = &persistent_volume_claim_template_schema},
    {0},
};
static const struct schema ephemeral_volume_source_schema = {
    "core.v1.EphemeralVolumeSource", ephemeral_volume_source_fields};

static const struct field fc_volume_source_fields[] = {
    {"targetWWNs", FIELD_LIST, 1, .item = FIELD_STRING},
    {"lun", FIELD_INT, 2, .pointer = true},
    {"fsType", FIELD_STRING, 3, .doc = "File system."},
    {"readOnly", FIELD_BOOL, 4, .doc = "It cannot be written."},
    {"wwids", FIELD_LIST, 5, .item = FIELD_STRING},
    {0},
};
const struct schema fc_volume_source_schema = {"core.v1.FCVolumeSource", fc_volume_source_fields};

static const struct field flex_volume_source_fields[] = {
    {"driver", FIELD_STRING, 1, .required = true, .doc = "Name of the driver."},
    {"fsType", FIELD_STRING, 2, .doc = "File system."},
    {"secretRef", FIELD_OBJECT, 3, .of = &local_object_reference_schema, .doc = "The Secret."},
    {"readOnly", FIELD_BOOL, 4, .doc = "It cannot be written."},
    {"options", FIELD_MAP, 5, .item = FIELD_STRING},
    {0},
};
static const struct schema flex_volume_source_schema = {
    "core.v1.FlexVolumeSource", flex_volume_source_fields};

static const struct field flocker_volume_source_fields[] = {
    {"datasetName", FIELD_STRING, 1},
    {"datasetUUID", FIELD_STRING, 2},
    {0},
};
const struct schema flocker_volume_source_schema = {
    "core.v1.FlockerVolumeSource", flocker_volume_source_fields};

static const struct field gce_persistent_disk_volume_source_fields[] = {
    {"pdName", FIELD_STRING, 1, .required = true},
    {"fsType", FIELD_STRING, 2, .doc = "File system."},
    {"partition", FIELD_INT, 3, .doc = "Pods with a lower ordinal stay as they are."},
    {"readOnly", FIELD_BOOL, 4, .doc = "It cannot be written."},
    {0},
};
const struct schema gce_persistent_disk_volume_source_schema = {
    "core.v1.GCEPersistentDiskVolumeSource", gce_persistent_disk_volume_source_fields};

static const struct field git_repo_volume_source_fields[] = {
    {"repository", FIELD_STRING, 1, .required = true},
    {"revision", FIELD_STRING, 2},
    {"directory", FIELD_STRING, 3},
    {0},
};
static const struct schema git_repo_volume_source_schema = {
    "core.v1.GitRepoVolumeSource", git_repo_volume_source_fields};

static const struct field glusterfs_volume_source_fields[] = {
    {"endpoints", FIELD_STRING, 1, .required = true},
    {"path", FIELD_STRING, 2, .required = true, .doc = "Path."},
    {"readOnly", FIELD_BOOL, 3, .doc = "It cannot be written."},
    {0},
};
static const struct schema glusterfs_volume_source_schema = {
    "core.v1.GlusterfsVolumeSource", glusterfs_volume_source_fields};

static const struct field host_path_volume_source_fields[] = {
    {"path", FIELD_STRING, 1, .required = true, .doc = "Path."},
    {"type", FIELD_STRING, 2, .otherwise = "",
     ONE_OF("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File",
            "FileOrCreate", "Socket"),
     .doc = "What type it is."},
    {0},
};
const struct schema host_path_volume_source_schema = {
    "core.v1.HostPathVolumeSource", host_path_volume_source_fields};

static const struct field image_volume_source_fields[] = {
    {"reference", FIELD_STRING, 1},
    {"pullPolicy", FIELD_STRING, 2},
    {0},
};
static const struct schema image_volume_source_schema = {
    "core.v1.ImageVolumeSource", image_volume_source_fields};

static const struct field iscsi_volume_source_fields[] = {
    {"targetPortal", FIELD_STRING, 1, .required = true},
    {"iqn", FIELD_STRING, 2, .required = true},
    {"lun", FIELD_INT, 3},
    {"iscsiInterface", FIELD_STRING, 4, .otherwise = "default"},
    {"fsType", FIELD_STRING, 5, .doc = "File system."},
    {"readOnly", FIELD_BOOL, 6, .doc = "It cannot be written."},
    {"portals", FIELD_LIST, 7, .item = FIELD_STRING},
    {"chapAuthDiscovery", FIELD_BOOL, 8},
    {"secretRef", FIELD_OBJECT, 10, .of = &local_object_reference_schema, .doc = "The Secret."},
    {"chapAuthSession", FIELD_BOOL, 11},
    {"initiatorName", FIELD_STRING, 12},
    {0},
};
static const struct schema iscsi_volume_source_schema = {
    "core.v1.ISCSIVolumeSource", iscsi_volume_source_fields};

static const struct field nfs_volume_source_fields[] = {
    {"server", FIELD_STRING, 1, .required = true, .doc = "Host of the server."},
    {"path", FIELD_STRING, 2, .required = true, .doc = "Path."},
    {"readOnly", FIELD_BOOL, 3, .doc = "It cannot be written."},
    {0},
};
const struct schema nfs_volume_source_schema = {
    "core.v1.NFSVolumeSource", nfs_volume_source_fields};

static const struct field persistent_volume_claim_volume_source_fields[] = {
    {"claimName", FIELD_STRING, 1, .required = true, .doc = "Name of the claim."},
    {"readOnly", FIELD_BOOL, 2, .doc = "It cannot be written."},
    {0},
};
static const struct schema persistent_volume_claim_volume_source_schema = {
    "core.v1.PersistentVolumeClaimVolumeSource", persistent_volume_claim_volume_source_fields};

static const struct field photon_persistent_disk_volume_source_fields[] = {
    {"pdID", FIELD_STRING, 1, .required = true},
    {"fsType", FIELD_STRING, 2, .doc = "File system."},
    {0},
};
const struct schema photon_persistent_disk_volume_source_schema = {
    "core.v1.PhotonPersistentDiskVolumeSource", photon_persistent_disk_volume_source_fields};

static const struct field portworx_volume_source_fields[] = {
    {"volumeID", FIELD_STRING, 1, .required = true},
    {"fsType", FIELD_STRING, 2, .doc = "File system."},
    {"readOnly", FIELD_BOOL, 3, .doc = "It cannot be written."},
    {0},
};
const struct schema portworx_volume_source_schema = {
    "core.v1.PortworxVolumeSource", portworx_volume_source_fields};

static const struct field cluster_trust_bundle_projection_fields[] = {
    {"name", FIELD_STRING, 1, .doc = "Name."},
    {"signerName", FIELD_STRING, 2},
    {"labelSelector", FIELD_OBJECT, 3, .of = &label_selector_schema,
     .doc = "Which pods are meant."},
    {"path", FIELD_STRING, 4, .required = true, .doc = "Path."},
    {"optional", FIELD_BOOL, 5, .pointer = true, .doc = "Whether it may be missing."},
    {0},
};
static const struct schema cluster_trust_bundle_projection_schema = {
    "core.v1.ClusterTrustBundleProjection", cluster_trust_bundle_projection_fields};

static const struct field config_map_projection_fields[] = {
    {"items", FIELD_LIST, 2, .of = &key_to_path_schema, .doc = "What is taken of it."},
    {"optional", FIELD_BOOL, 4, .pointer = true, .doc = "Whether it may be missing."},
    {"name", FIELD_STRING, 1, .proto_in = 1, .doc = "Name."},
    {0},
};
static const struct schema config_map_projection_schema = {
    "core.v1.ConfigMapProjection", config_map_projection_fields};

static const struct field downward_api_projection_fields[] = {
    {"items", FIELD_LIST, 1, .of = &downward_api_volume_file_schema,
     .doc = "What is taken of it."},
    {0},
};
static const struct schema downward_api_projection_schema = {
    "core.v1.DownwardAPIProjection", downward_api_projection_fields};

static const struct field secret_projection_fields[] = {
    {"items", FIELD_LIST, 2, .of = &key_to_path_schema, .doc = "What is taken of it."},
    {"optional", FIELD_BOOL, 4, .pointer = true, .doc = "Whether it may be missing."},
    {"name", FIELD_STRING, 1, .proto_in = 1, .doc = "Name."},
    {0},
};
static const struct schema secret_projection_schema = {
    "core.v1.SecretProjection", secret_projection_fields};

static const struct field service_account_token_projection_fields[] = {
    {"audience", FIELD_STRING, 1, .doc = "Whom the token is meant for."},
    {"expirationSeconds", FIELD_LONG, 2, .pointer = true, .otherwise = "3600",
     .doc = "Seconds it is valid."},
    {"path", FIELD_STRING, 3, .required = true, .doc = "Path."},
    {0},
};
static const struct schema service_account_token_projection_schema = {
    "core.v1.ServiceAccountTokenProjection", service_account_token_projection_fields};

static const struct field volume_projection_fields[] = {
    {"secret", FIELD_OBJECT, 1, .of = &secret_projection_schema, .doc = "Files from a Secret."},
    {"downwardAPI", FIELD_OBJECT, 2, .of = &downward_api_projection_schema,
     .doc = "Files with fields of the pod."},
    {"configMap", FIELD_OBJECT, 3, .of = &config_map_projection_schema,
     .doc = "Files from a ConfigMap."},
    {"serviceAccountToken", FIELD_OBJECT, 4, .of = &service_account_token_projection_schema,
     .doc = "A token of the pod's account."},
    {"clusterTrustBundle", FIELD_OBJECT, 5, .of = &cluster_trust_bundle_projection_schema,
     .doc = "Certificates of a signer.", .no_effect = true},
    {0},
};
static const struct schema volume_projection_schema = {
    "core.v1.VolumeProjection", volume_projection_fields};

static const struct field projected_volume_source_fields[] = {
    {"sources", FIELD_LIST, 1, .of = &volume_projection_schema, .doc = "What is put together."},
    {"defaultMode", FIELD_INT, 2, .pointer = true, .otherwise = "420", RANGE(0, 511),
     .doc = "Permission bits of the files."},
    {0},
};
static const struct schema projected_volume_source_schema = {
    "core.v1.ProjectedVolumeSource", projected_volume_source_fields};

static const struct field quobyte_volume_source_fields[] = {
    {"registry", FIELD_STRING, 1, .required = true},
    {"volume", FIELD_STRING, 2, .required = true},
    {"readOnly", FIELD_BOOL, 3, .doc = "It cannot be written."},
    {"user", FIELD_STRING, 4},
    {"group", FIELD_STRING, 5},
    {"tenant", FIELD_STRING, 6},
    {0},
};
const struct schema quobyte_volume_source_schema = {
    "core.v1.QuobyteVolumeSource", quobyte_volume_source_fields};

static const struct field rbd_volume_source_fields[] = {
    {"monitors", FIELD_LIST, 1, .item = FIELD_STRING, .required = true},
    {"image", FIELD_STRING, 2, .required = true, .doc = "Image it runs."},
    {"fsType", FIELD_STRING, 3, .doc = "File system."},
    {"pool", FIELD_STRING, 4, .otherwise = "rbd"},
    {"user", FIELD_STRING, 5, .otherwise = "admin"},
    {"keyring", FIELD_STRING, 6, .otherwise = "/etc/ceph/keyring"},
    {"secretRef", FIELD_OBJECT, 7, .of = &local_object_reference_schema, .doc = "The Secret."},
    {"readOnly", FIELD_BOOL, 8, .doc = "It cannot be written."},
    {0},
};
static const struct schema rbd_volume_source_schema = {
    "core.v1.RBDVolumeSource", rbd_volume_source_fields};

static const struct field scale_io_volume_source_fields[] = {
    {"gateway", FIELD_STRING, 1, .required = true},
    {"system", FIELD_STRING, 2, .required = true},
    {"secretRef", FIELD_OBJECT, 3, .of = &local_object_reference_schema, .required = true,
     .doc = "The Secret."},
    {"sslEnabled", FIELD_BOOL, 4},
    {"protectionDomain", FIELD_STRING, 5},
    {"storagePool", FIELD_STRING, 6},
    {"storageMode", FIELD_STRING, 7, .otherwise = "ThinProvisioned"},
    {"volumeName", FIELD_STRING, 8, .doc = "Volume that is bound."},
    {"fsType", FIELD_STRING, 9, .otherwise = "xfs", .doc = "File system."},
    {"readOnly", FIELD_BOOL, 10, .doc = "It cannot be written."},
    {0},
};
static const struct schema scale_io_volume_source_schema = {
    "core.v1.ScaleIOVolumeSource", scale_io_volume_source_fields};

static const struct field secret_volume_source_fields[] = {
    {"secretName", FIELD_STRING, 1, .doc = "Name of the Secret."},
    {"items", FIELD_LIST, 2, .of = &key_to_path_schema, .doc = "What is taken of it."},
    {"defaultMode", FIELD_INT, 3, .pointer = true, .otherwise = "420", RANGE(0, 511),
     .doc = "Permission bits of the files."},
    {"optional", FIELD_BOOL, 4, .pointer = true, .doc = "Whether it may be missing."},
    {0},
};
static const struct schema secret_volume_source_schema = {
    "core.v1.SecretVolumeSource", secret_volume_source_fields};

static const struct field storage_os_volume_source_fields[] = {
    {"volumeName", FIELD_STRING, 1, .doc = "Volume that is bound."},
    {"volumeNamespace", FIELD_STRING, 2},
    {"fsType", FIELD_STRING, 3, .doc = "File system."},
    {"readOnly", FIELD_BOOL, 4, .doc = "It cannot be written."},
    {"secretRef", FIELD_OBJECT, 5, .of = &local_object_reference_schema, .doc = "The Secret."},
    {0},
};
static const struct schema storage_os_volume_source_schema = {
    "core.v1.StorageOSVolumeSource", storage_os_volume_source_fields};

static const struct field vsphere_virtual_disk_volume_source_fields[] = {
    {"volumePath", FIELD_STRING, 1, .required = true},
    {"fsType", FIELD_STRING, 2, .doc = "File system."},
    {"storagePolicyName", FIELD_STRING, 3},
    {"storagePolicyID", FIELD_STRING, 4},
    {0},
};
const struct schema vsphere_virtual_disk_volume_source_schema = {
    "core.v1.VsphereVirtualDiskVolumeSource", vsphere_virtual_disk_volume_source_fields};

static const struct field volume_fields[] = {
    {"name", FIELD_STRING, 1, .required = true, .doc = "Name the mounts refer to."},
    {"hostPath", FIELD_OBJECT, 1, .of = &host_path_volume_source_schema, .proto_in = 2,
     .doc = "A file or directory of the node."},
    {"emptyDir", FIELD_OBJECT, 2, .of = &empty_dir_volume_source_schema, .proto_in = 2,
     .doc = "An empty directory that lives as long as the pod."},
    {"gcePersistentDisk", FIELD_OBJECT, 3, .of = &gce_persistent_disk_volume_source_schema,
     .proto_in = 2, .no_effect = true},
    {"awsElasticBlockStore", FIELD_OBJECT, 4, .of = &aws_elastic_block_store_volume_source_schema,
     .proto_in = 2, .no_effect = true},
    {"gitRepo", FIELD_OBJECT, 5, .of = &git_repo_volume_source_schema, .proto_in = 2},
    {"secret", FIELD_OBJECT, 6, .of = &secret_volume_source_schema, .proto_in = 2,
     .doc = "Files from a Secret."},
    {"nfs", FIELD_OBJECT, 7, .of = &nfs_volume_source_schema, .proto_in = 2,
     .doc = "A share of an NFS server."},
    {"iscsi", FIELD_OBJECT, 8, .of = &iscsi_volume_source_schema, .proto_in = 2},
    {"glusterfs", FIELD_OBJECT, 9, .of = &glusterfs_volume_source_schema, .proto_in = 2,
     .no_effect = true},
    {"persistentVolumeClaim", FIELD_OBJECT, 10,
     .of = &persistent_volume_claim_volume_source_schema, .proto_in = 2,
     .doc = "A claimed volume."},
    {"rbd", FIELD_OBJECT, 11, .of = &rbd_volume_source_schema, .proto_in = 2, .no_effect = true},
    {"flexVolume", FIELD_OBJECT, 12, .of = &flex_volume_source_schema, .proto_in = 2,
     .no_effect = true},
    {"cinder", FIELD_OBJECT, 13, .of = &cinder_volume_source_schema, .proto_in = 2,
     .no_effect = true},
    {"cephfs", FIELD_OBJECT, 14, .of = &ceph_fs_volume_source_schema, .proto_in = 2,
     .no_effect = true},
    {"flocker", FIELD_OBJECT, 15, .of = &flocker_volume_source_schema, .proto_in = 2,
     .no_effect = true},
    {"downwardAPI", FIELD_OBJECT, 16, .of = &downward_api_volume_source_schema, .proto_in = 2,
     .doc = "Files with fields of the pod."},
    {"fc", FIELD_OBJECT, 17, .of = &fc_volume_source_schema, .proto_in = 2},
    {"azureFile", FIELD_OBJECT, 18, .of = &azure_file_volume_source_schema, .proto_in = 2,
     .no_effect = true},
    {"configMap", FIELD_OBJECT, 19, .of = &config_map_volume_source_schema, .proto_in = 2,
     .doc = "Files from a ConfigMap."},
    {"vsphereVolume", FIELD_OBJECT, 20, .of = &vsphere_virtual_disk_volume_source_schema,
     .proto_in = 2, .no_effect = true},
    {"quobyte", FIELD_OBJECT, 21, .of = &quobyte_volume_source_schema, .proto_in = 2,
     .no_effect = true},
    {"azureDisk", FIELD_OBJECT, 22, .of = &azure_disk_volume_source_schema, .proto_in = 2,
     .no_effect = true},
    {"photonPersistentDisk", FIELD_OBJECT, 23, .of = &photon_persistent_disk_volume_source_schema,
     .proto_in = 2, .no_effect = true},
    {"portworxVolume", FIELD_OBJECT, 24, .of = &portworx_volume_source_schema, .proto_in = 2,
     .no_effect = true},
    {"scaleIO", FIELD_OBJECT, 25, .of = &scale_io_volume_source_schema, .proto_in = 2,
     .no_effect = true},
    {"projected", FIELD_OBJECT, 26, .of = &projected_volume_source_schema, .proto_in = 2,
     .doc = "Several sources in one directory."},
    {"storageos", FIELD_OBJECT, 27, .of = &storage_os_volume_source_schema, .proto_in = 2,
     .no_effect = true},
    {"csi", FIELD_OBJECT, 28, .of = &csi_volume_source_schema, .proto_in = 2,
     .doc = "A volume of a CSI driver."},
    {"ephemeral", FIELD_OBJECT, 29, .of = &ephemeral_volume_source_schema, .proto_in = 2,
     .doc = "A claim made for this pod."},
    {"image", FIELD_OBJECT, 30, .of = &image_volume_source_schema, .proto_in = 2,
     .doc = "Files of an image."},
    {0},
};
const struct schema volume_schema = {
    "core.v1.Volume", volume_fields, "A directory containers may mount."};

/* clang-format on */
