/**
 * Which members of requestParameters and responseElements name a resource, by event source. CloudTrail's record carries
 * a `resources` list for few services only, while LookupEvents shows resources for most; it takes them from the
 * parameters, with these types ("AWS CloudTrail Event, Resources" and the "supported resource types" of event history).
 *
 * A path's steps are member names; lists are passed through, so `instancesSet.items.instanceId` names every instance.
 */
export interface NamingParameter {
  readonly side: 'requestParameters' | 'responseElements';
  readonly path: readonly string[];
  /** By event source, the CloudFormation-style resource types; the first that is of the event counts. */
  readonly types: ReadonlyMap<string, readonly NamedType[]>;
}

interface NamedType {
  readonly type: string;
  /** What the names of the events contain whose resource is of this type; absent where all are. */
  readonly of?: string;
}

type Rows = readonly (readonly [path: string, type: string, of?: string])[];

const request: Readonly<Record<string, Rows>> = {
  'iam.amazonaws.com': [
    ['userName', 'AWS::IAM::User'],
    ['roleName', 'AWS::IAM::Role'],
    ['groupName', 'AWS::IAM::Group'],
    ['policyArn', 'AWS::IAM::Policy'],
    ['policyName', 'AWS::IAM::Policy'],
    ['instanceProfileName', 'AWS::IAM::InstanceProfile'],
    ['accessKeyId', 'AWS::IAM::AccessKey'],
    ['serialNumber', 'AWS::IAM::MfaDevice'],
    ['serverCertificateName', 'AWS::IAM::ServerCertificate'],
    ['sAMLProviderArn', 'AWS::IAM::SAMLProvider'],
    ['openIDConnectProviderArn', 'AWS::IAM::OIDCProvider'],
  ],
  'sts.amazonaws.com': [['roleArn', 'AWS::IAM::Role']],
  's3.amazonaws.com': [['bucketName', 'AWS::S3::Bucket']],
  'ec2.amazonaws.com': [
    ['instanceId', 'AWS::EC2::Instance'],
    ['instancesSet.items.instanceId', 'AWS::EC2::Instance'],
    ['imageId', 'AWS::EC2::Ami'],
    ['instancesSet.items.imageId', 'AWS::EC2::Ami'],
    ['instancesSet.items.keyName', 'AWS::EC2::KeyPair'],
    ['keyName', 'AWS::EC2::KeyPair'],
    ['groupId', 'AWS::EC2::SecurityGroup'],
    ['groupName', 'AWS::EC2::SecurityGroup'],
    ['groupSet.items.groupId', 'AWS::EC2::SecurityGroup'],
    ['groupSet.items.groupName', 'AWS::EC2::SecurityGroup'],
    ['subnetId', 'AWS::EC2::Subnet'],
    ['vpcId', 'AWS::EC2::VPC'],
    ['volumeId', 'AWS::EC2::Volume'],
    ['snapshotId', 'AWS::EC2::Snapshot'],
    ['networkInterfaceId', 'AWS::EC2::NetworkInterface'],
    ['routeTableId', 'AWS::EC2::RouteTable'],
    ['networkAclId', 'AWS::EC2::NetworkAcl'],
    ['internetGatewayId', 'AWS::EC2::InternetGateway'],
    ['natGatewayId', 'AWS::EC2::NatGateway'],
    ['allocationId', 'AWS::EC2::EIP'],
    ['vpnConnectionId', 'AWS::EC2::VPNConnection'],
    ['DeleteFlowLogsRequest.FlowLogId.content', 'AWS::EC2::FlowLog'],
  ],
  'ec2-instance-connect.amazonaws.com': [['instanceId', 'AWS::EC2::Instance']],
  'kms.amazonaws.com': [
    ['keyId', 'AWS::KMS::Key'],
    ['aliasName', 'AWS::KMS::Alias'],
  ],
  'cloudtrail.amazonaws.com': [
    ['name', 'AWS::CloudTrail::EventDataStore', 'EventDataStore'],
    ['name', 'AWS::CloudTrail::Channel', 'Channel'],
    ['name', 'AWS::CloudTrail::Dashboard', 'Dashboard'],
    ['name', 'AWS::CloudTrail::Trail'],
    ['trailName', 'AWS::CloudTrail::Trail'],
    ['eventDataStore', 'AWS::CloudTrail::EventDataStore'],
    ['channel', 'AWS::CloudTrail::Channel'],
    ['dashboardId', 'AWS::CloudTrail::Dashboard'],
    ['s3BucketName', 'AWS::S3::Bucket'],
  ],
  'events.amazonaws.com': [
    ['name', 'AWS::Events::Rule', 'Rule'],
    ['name', 'AWS::Events::EventBus', 'EventBus'],
    ['name', 'AWS::Events::Connection', 'Connection'],
    ['name', 'AWS::Events::ApiDestination', 'ApiDestination'],
    ['rule', 'AWS::Events::Rule'],
    ['eventBusName', 'AWS::Events::EventBus'],
  ],
  'lambda.amazonaws.com': [['functionName', 'AWS::Lambda::Function']],
  'sns.amazonaws.com': [['topicArn', 'AWS::SNS::Topic']],
  'sqs.amazonaws.com': [['queueUrl', 'AWS::SQS::Queue']],
  'dynamodb.amazonaws.com': [['tableName', 'AWS::DynamoDB::Table']],
  'rds.amazonaws.com': [
    ['dBInstanceIdentifier', 'AWS::RDS::DBInstance'],
    ['dBClusterIdentifier', 'AWS::RDS::DBCluster'],
    ['dBSnapshotIdentifier', 'AWS::RDS::DBSnapshot'],
    ['dBClusterSnapshotIdentifier', 'AWS::RDS::DBClusterSnapshot'],
    ['dBSubnetGroupName', 'AWS::RDS::DBSubnetGroup'],
  ],
  'secretsmanager.amazonaws.com': [['secretId', 'AWS::SecretsManager::Secret']],
  'ssm.amazonaws.com': [
    ['documentName', 'AWS::SSM::Document'],
    ['instanceId', 'AWS::EC2::Instance'],
    ['instanceIds', 'AWS::EC2::Instance'],
    ['names', 'AWS::SSM::Parameter'],
    ['target', 'AWS::EC2::Instance'],
  ],
  'elasticloadbalancing.amazonaws.com': [
    ['loadBalancerName', 'AWS::ElasticLoadBalancing::LoadBalancer'],
    ['loadBalancerArn', 'AWS::ElasticLoadBalancingV2::LoadBalancer'],
    ['targetGroupArn', 'AWS::ElasticLoadBalancingV2::TargetGroup'],
    ['listenerArn', 'AWS::ElasticLoadBalancingV2::Listener'],
  ],
  'autoscaling.amazonaws.com': [
    ['autoScalingGroupName', 'AWS::AutoScaling::AutoScalingGroup'],
    ['launchConfigurationName', 'AWS::AutoScaling::LaunchConfiguration'],
  ],
  'cloudformation.amazonaws.com': [['stackName', 'AWS::CloudFormation::Stack']],
  'logs.amazonaws.com': [['logGroupName', 'AWS::Logs::LogGroup']],
  'monitoring.amazonaws.com': [
    ['alarmName', 'AWS::CloudWatch::Alarm'],
    ['alarmNames', 'AWS::CloudWatch::Alarm'],
  ],
  'config.amazonaws.com': [
    ['configRuleName', 'AWS::Config::ConfigRule'],
    ['configRule.configRuleName', 'AWS::Config::ConfigRule'],
  ],
  'ecr.amazonaws.com': [['repositoryName', 'AWS::ECR::Repository']],
  'route53.amazonaws.com': [['hostedZoneId', 'AWS::Route53::HostedZone']],
};

const response: Readonly<Record<string, Rows>> = {
  'iam.amazonaws.com': [
    ['accessKey.accessKeyId', 'AWS::IAM::AccessKey'],
    ['policy.arn', 'AWS::IAM::Policy'],
    ['role.arn', 'AWS::IAM::Role'],
    ['user.arn', 'AWS::IAM::User'],
  ],
  'sts.amazonaws.com': [
    ['credentials.accessKeyId', 'AWS::IAM::AccessKey'],
    ['assumedRoleUser.arn', 'AWS::STS::AssumedRole'],
    ['assumedRoleUser.assumedRoleId', 'AWS::STS::AssumedRole'],
    ['federatedUser.arn', 'AWS::STS::FederatedUser'],
  ],
  'ec2.amazonaws.com': [
    ['instancesSet.items.instanceId', 'AWS::EC2::Instance'],
    ['instancesSet.items.imageId', 'AWS::EC2::Ami'],
    ['instancesSet.items.subnetId', 'AWS::EC2::Subnet'],
    ['instancesSet.items.vpcId', 'AWS::EC2::VPC'],
    ['groupId', 'AWS::EC2::SecurityGroup'],
    ['volumeId', 'AWS::EC2::Volume'],
    ['snapshotId', 'AWS::EC2::Snapshot'],
    ['imageId', 'AWS::EC2::Ami'],
    ['vpc.vpcId', 'AWS::EC2::VPC'],
    ['subnet.subnetId', 'AWS::EC2::Subnet'],
    ['allocationId', 'AWS::EC2::EIP'],
    ['networkInterface.networkInterfaceId', 'AWS::EC2::NetworkInterface'],
  ],
  'cloudtrail.amazonaws.com': [
    ['trailARN', 'AWS::CloudTrail::Trail'],
    ['eventDataStoreArn', 'AWS::CloudTrail::EventDataStore'],
    ['channelArn', 'AWS::CloudTrail::Channel'],
    ['dashboardArn', 'AWS::CloudTrail::Dashboard'],
  ],
  'lambda.amazonaws.com': [['functionArn', 'AWS::Lambda::Function']],
  'kms.amazonaws.com': [['keyMetadata.arn', 'AWS::KMS::Key']],
  'sns.amazonaws.com': [['topicArn', 'AWS::SNS::Topic']],
  'sqs.amazonaws.com': [['queueUrl', 'AWS::SQS::Queue']],
  'secretsmanager.amazonaws.com': [['aRN', 'AWS::SecretsManager::Secret']],
  'cloudformation.amazonaws.com': [['stackId', 'AWS::CloudFormation::Stack']],
};

function gather(
  side: NamingParameter['side'],
  table: Readonly<Record<string, Rows>>,
): readonly NamingParameter[] {
  const byPath = new Map<string, Map<string, readonly NamedType[]>>();
  for (const [source, rows] of Object.entries(table)) {
    for (const [path, type, of] of rows) {
      const types = byPath.get(path) ?? new Map<string, readonly NamedType[]>();
      types.set(source, [...(types.get(source) ?? []), { type, ...(of !== undefined && { of }) }]);
      byPath.set(path, types);
    }
  }
  return [...byPath].map(([path, types]) => ({ side, path: path.split('.'), types }));
}

/** Every naming parameter, once per side and path. Their order is the order of an event's resources. */
export const namingParameters: readonly NamingParameter[] = [
  ...gather('requestParameters', request),
  ...gather('responseElements', response),
];

/** The type of the resource that a parameter names in an event; undefined where it names none. */
export function typeNamed(
  parameter: number,
  eventSource: string,
  eventName: string | undefined,
): string | undefined {
  const types = namingParameters[parameter]?.types.get(eventSource);
  return types?.find(({ of }) => of === undefined || eventName?.includes(of))?.type;
}
